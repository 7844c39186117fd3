/**
 * List prices of OpenAI and Azure OpenAI (global deployments).
 * US dollars per million tokens: prompt, answer and, where it has a price of its own, prompt read from a cache; then the models.
 * Source: `model_prices_and_context_window.json` of BerriAI/litellm (MIT), as of 2026-08-01, reduced to these figures.
 */
export const openai = `
0.02 0 | text-embedding-3-small
0.05 0.4 0.005 | gpt-5-nano gpt-5-nano-2025-08-07
0.1 0 | text-embedding-ada-002 text-embedding-ada-002-v2
0.1 0.4 0.025 | gpt-4.1-nano gpt-4.1-nano-2025-04-14
0.13 0 | text-embedding-3-large
0.15 0.6 | gpt-4o-mini-audio-preview gpt-4o-mini-audio-preview-2024-12-17
0.15 0.6 0.075 | gpt-4o-mini gpt-4o-mini-2024-07-18 gpt-4o-mini-search-preview gpt-4o-mini-search-preview-2025-03-11
0.2 0.8 0.05 | ft:gpt-4.1-nano-2025-04-14
0.2 1.2 0.02 | gpt-5.6-luna
0.2 1.25 0.02 | gpt-5.4-nano gpt-5.4-nano-2026-03-17
0.25 2 0.025 | gpt-5-mini gpt-5-mini-2025-08-07 gpt-5.1-codex-mini
0.3 1.2 0.15 | ft:gpt-4o-mini-2024-07-18
0.4 1.6 0.1 | gpt-4.1-mini gpt-4.1-mini-2025-04-14
0.5 1.5 | gpt-3.5-turbo gpt-3.5-turbo-0125
0.6 2.4 | gpt-audio-mini gpt-audio-mini-2025-10-06 gpt-audio-mini-2025-12-15
0.75 4.5 0.075 | gpt-5.4-mini gpt-5.4-mini-2026-03-17
0.8 3.2 0.2 | ft:gpt-4.1-mini-2025-04-14
1 2 | gpt-3.5-turbo-1106
1.1 4.4 0.275 | o4-mini o4-mini-2025-04-16
1.1 4.4 0.55 | o3-mini o3-mini-2025-01-31
1.25 10 0.125 | gpt-5 gpt-5-2025-08-07 gpt-5-chat gpt-5-chat-latest gpt-5-codex gpt-5-search-api
1.25 10 0.125 | gpt-5-search-api-2025-10-14 gpt-5.1 gpt-5.1-2025-11-13 gpt-5.1-chat-latest gpt-5.1-codex
1.25 10 0.125 | gpt-5.1-codex-max
1.5 6 0.375 | codex-mini-latest
1.75 14 0.175 | gpt-5.2 gpt-5.2-2025-12-11 gpt-5.2-chat-latest gpt-5.2-codex gpt-5.3-chat-latest gpt-5.3-codex
2 8 0.5 | gpt-4.1 gpt-4.1-2025-04-14 o3 o3-2025-04-16 o4-mini-deep-research o4-mini-deep-research-2025-06-26
2 12 0.2 | gpt-5.6-terra
2.5 10 | gpt-4o-audio-preview gpt-4o-audio-preview-2024-12-17 gpt-4o-audio-preview-2025-06-03 gpt-audio gpt-audio-1.5
2.5 10 | gpt-audio-2025-08-28
2.5 10 1.25 | gpt-4o gpt-4o-2024-08-06 gpt-4o-2024-11-20 gpt-4o-search-preview gpt-4o-search-preview-2025-03-11
2.5 15 0.25 | gpt-5.4 gpt-5.4-2026-03-05
3 4 | gpt-3.5-turbo-16k
3 6 | ft:gpt-3.5-turbo ft:gpt-3.5-turbo-0125 ft:gpt-3.5-turbo-0613 ft:gpt-3.5-turbo-1106
3 12 0.75 | ft:gpt-4.1-2025-04-14
3.75 15 | ft:gpt-4o-2024-11-20
3.75 15 1.875 | ft:gpt-4o-2024-08-06
4 16 1 | ft:o4-mini-2025-04-16
5 15 | chatgpt-4o-latest gpt-4o-2024-05-13
5 30 0.5 | gpt-5.5 gpt-5.5-2026-04-23 gpt-5.6 gpt-5.6-sol
10 30 | gpt-4-0125-preview gpt-4-1106-preview gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4-turbo-preview
10 40 2.5 | o3-deep-research o3-deep-research-2025-06-26
15 60 7.5 | o1 o1-2024-12-17
15 120 | gpt-5-pro gpt-5-pro-2025-10-06
20 80 | o3-pro o3-pro-2025-06-10
21 168 | gpt-5.2-pro gpt-5.2-pro-2025-12-11
30 60 | ft:gpt-4-0613 gpt-4 gpt-4-0314 gpt-4-0613
30 180 3 | gpt-5.4-pro gpt-5.4-pro-2026-03-05 gpt-5.5-pro gpt-5.5-pro-2026-04-23
150 600 | o1-pro o1-pro-2025-03-19
`

export const azure = `
0.02 0 | text-embedding-3-small
0.05 0.4 0.005 | gpt-5-nano gpt-5-nano-2025-08-07
0.1 0 | ada text-embedding-ada-002
0.1 0.4 0.025 | gpt-4.1-nano gpt-4.1-nano-2025-04-14
0.13 0 | text-embedding-3-large
0.165 0.66 0.075 | gpt-4o-mini gpt-4o-mini-2024-07-18
0.2 1.25 0.02 | gpt-5.4-nano gpt-5.4-nano-2026-03-17
0.25 2 0.025 | gpt-5-mini gpt-5-mini-2025-08-07 gpt-5.1-codex-mini gpt-5.1-codex-mini-2025-11-13
0.4 1.6 0.1 | gpt-4.1-mini gpt-4.1-mini-2025-04-14
0.5 1.5 | gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-35-turbo gpt-35-turbo-0125
0.6 2.4 | gpt-audio-mini-2025-10-06
0.75 4.5 0.075 | gpt-5.4-mini gpt-5.4-mini-2026-03-17
1 2 | gpt-35-turbo-1106
1 6 0.1 | gpt-5.6-luna
1.1 4.4 0.275 | o4-mini o4-mini-2025-04-16
1.1 4.4 0.55 | o1-mini-2024-09-12 o3-mini o3-mini-2025-01-31
1.21 4.84 0.605 | o1-mini
1.25 10 0.125 | gpt-5 gpt-5-2025-08-07 gpt-5-chat gpt-5-chat-latest gpt-5-codex gpt-5.1 gpt-5.1-2025-11-13
1.25 10 0.125 | gpt-5.1-chat gpt-5.1-chat-2025-11-13 gpt-5.1-codex gpt-5.1-codex-2025-11-13 gpt-5.1-codex-max
1.5 6 0.375 | codex-mini
1.75 14 0.175 | gpt-5.2 gpt-5.2-2025-12-11 gpt-5.2-chat gpt-5.2-chat-2025-12-11 gpt-5.2-codex gpt-5.3-chat
1.75 14 0.175 | gpt-5.3-codex
2 8 0.5 | gpt-4.1 gpt-4.1-2025-04-14 o3 o3-2025-04-16
2.5 10 | gpt-4o-audio-preview-2024-12-17 gpt-4o-mini-audio-preview-2024-12-17 gpt-audio-1.5-2026-02-23
2.5 10 | gpt-audio-2025-08-28
2.5 10 1.25 | gpt-4o gpt-4o-2024-08-06
2.5 15 0.25 | gpt-5.4 gpt-5.4-2026-03-05 gpt-5.6-terra
2.75 11 1.25 | gpt-4o-2024-11-20
3 4 | gpt-35-turbo-16k gpt-35-turbo-16k-0613
3 12 | computer-use-preview computer-use-preview
3 15 | command-r-plus
5 15 | gpt-4o-2024-05-13
5 30 0.5 | gpt-5.5 gpt-5.5-2026-04-23 gpt-5.6 gpt-5.6-sol
8 24 | mistral-large-2402 mistral-large-latest
10 30 | gpt-4-0125-preview gpt-4-1106-preview gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4-turbo-vision-preview
10 40 2.5 | o3-deep-research
15 60 7.5 | o1 o1-2024-12-17 o1-preview o1-preview-2024-09-12
15 120 | gpt-5-pro
20 80 | o3-pro o3-pro-2025-06-10
21 168 | gpt-5.2-pro gpt-5.2-pro-2025-12-11
30 60 | gpt-4 gpt-4-0613
30 180 3 | gpt-5.4-pro gpt-5.4-pro-2026-03-05 gpt-5.5-pro gpt-5.5-pro-2026-04-23
60 120 | gpt-4-32k gpt-4-32k-0613
75 150 37.5 | gpt-4.5-preview
`
