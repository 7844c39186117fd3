/**
 * List prices of Fireworks (`~` stands for accounts/fireworks/models/) and OpenRouter.
 * US dollars per million tokens: prompt, answer and, where it has a price of its own, prompt read from a cache; then the models.
 * Source: `model_prices_and_context_window.json` of BerriAI/litellm (MIT), as of 2026-08-01, reduced to these figures.
 */
export const fireworks = `
0.001 0.001 | ~flux-1-dev-controlnet-union
0.07 0.3 0.035 | ~gpt-oss-20b
0.1 0.1 | ~codegemma-2b ~cogito-v1-preview-llama-3b ~deepseek-coder-1b-base ~deepseek-r1-distill-qwen-1p5b
0.1 0.1 | ~ernie-4p5-21b-a3b-pt ~ernie-4p5-300b-a47b-pt ~flux-1-dev ~flux-1-schnell ~gemma-2b-it ~llama-guard-3-1b
0.1 0.1 | ~llama-v2-70b ~llama-v3p1-405b-instruct-long ~llama-v3p1-70b-instruct-1b ~llama-v3p1-8b-instruct
0.1 0.1 | ~llama-v3p2-1b ~llama-v3p2-1b-instruct ~llama-v3p2-3b ~llama-v3p2-3b-instruct ~minimax-m1-80k
0.1 0.1 | ~ministral-3-3b-instruct-2512 ~nemotron-nano-v2-12b-vl ~phi-2-3b ~phi-3-mini-128k-instruct
0.1 0.1 | ~qwen2-vl-2b-instruct ~qwen2p5-0p5b-instruct ~qwen2p5-1p5b-instruct ~qwen2p5-coder-0p5b
0.1 0.1 | ~qwen2p5-coder-0p5b-instruct ~qwen2p5-coder-1p5b ~qwen2p5-coder-1p5b-instruct ~qwen2p5-coder-3b
0.1 0.1 | ~qwen2p5-coder-3b-instruct ~qwen3-0p6b ~qwen3-1p7b ~qwen3-1p7b-fp8-draft ~qwen3-1p7b-fp8-draft-131072
0.1 0.1 | ~qwen3-1p7b-fp8-draft-40960 ~stablecode-3b ~starcoder2-3b
0.14 0.28 0.028 | ~deepseek-v4-flash
0.15 0.6 | ~llama4-scout-instruct-basic ~qwen3-30b-a3b ~qwen3-coder-30b-a3b-instruct ~qwen3-vl-30b-a3b-instruct
0.15 0.6 | ~qwen3-vl-30b-a3b-thinking
0.15 0.6 0.015 | ~gpt-oss-120b
0.2 0.2 | ~chronos-hermes-13b-v2 ~code-llama-13b ~code-llama-13b-instruct ~code-llama-13b-python ~code-llama-7b
0.2 0.2 | ~code-llama-7b-instruct ~code-llama-7b-python ~code-qwen-1p5-7b ~codegemma-7b ~cogito-v1-preview-llama-8b
0.2 0.2 | ~cogito-v1-preview-qwen-14b ~deepseek-coder-7b-base ~deepseek-coder-7b-base-v1p5
0.2 0.2 | ~deepseek-coder-7b-instruct-v1p5 ~deepseek-r1-0528-distill-qwen3-8b ~deepseek-r1-distill-llama-8b
0.2 0.2 | ~deepseek-r1-distill-qwen-14b ~deepseek-r1-distill-qwen-7b ~dobby-mini-unhinged-plus-llama-3-1-8b
0.2 0.2 | ~firellava-13b ~firesearch-ocr-v6 ~gemma-7b ~gemma-7b-it ~gemma2-9b-it ~hermes-2-pro-mistral-7b
0.2 0.2 | ~internvl3-8b ~llama-guard-2-8b ~llama-guard-3-8b ~llama-v2-13b ~llama-v2-13b-chat ~llama-v2-7b
0.2 0.2 | ~llama-v2-7b-chat ~llama-v3-8b ~llama-v3-8b-instruct-hf ~llama-v3p2-11b-vision-instruct ~llamaguard-7b
0.2 0.2 | ~ministral-3-14b-instruct-2512 ~ministral-3-8b-instruct-2512 ~mistral-7b ~mistral-7b-instruct-4k
0.2 0.2 | ~mistral-7b-instruct-v0p2 ~mistral-7b-instruct-v3 ~mistral-7b-v0p2 ~mistral-nemo-base-2407
0.2 0.2 | ~mistral-nemo-instruct-2407 ~mythomax-l2-13b ~nous-capybara-7b-v1p9 ~nous-hermes-llama2-13b
0.2 0.2 | ~nous-hermes-llama2-7b ~nvidia-nemotron-nano-12b-v2 ~nvidia-nemotron-nano-9b-v2 ~openchat-3p5-0106-7b
0.2 0.2 | ~openhermes-2-mistral-7b ~openhermes-2p5-mistral-7b ~openorca-7b ~phi-3-vision-128k-instruct ~pythia-12b
0.2 0.2 | ~qwen-v2p5-14b-instruct ~qwen-v2p5-7b ~qwen2-7b-instruct ~qwen2-vl-7b-instruct ~qwen2p5-14b
0.2 0.2 | ~qwen2p5-7b-instruct ~qwen2p5-coder-14b ~qwen2p5-coder-14b-instruct ~qwen2p5-coder-7b
0.2 0.2 | ~qwen2p5-coder-7b-instruct ~qwen2p5-vl-3b-instruct ~qwen2p5-vl-7b-instruct ~qwen3-14b ~qwen3-4b
0.2 0.2 | ~qwen3-4b-instruct-2507 ~qwen3-8b ~qwen3-vl-8b-instruct ~rolm-ocr ~snorkel-mistral-7b-pairrm-dpo
0.2 0.2 | ~starcoder-16b ~starcoder-7b ~starcoder2-15b ~starcoder2-7b ~toppy-m-7b ~yi-6b ~zephyr-7b-beta
0.22 0.88 | ~glm-4p5-air ~llama4-maverick-instruct-basic ~qwen3-235b-a22b ~qwen3-235b-a22b-instruct-2507
0.22 0.88 | ~qwen3-235b-a22b-thinking-2507 ~qwen3-vl-235b-a22b-instruct ~qwen3-vl-235b-a22b-thinking
0.3 1.2 | ~minimax-m2
0.3 1.2 0.03 | ~minimax-m2p1
0.3 1.2 0.06 | ~minimax-m2p7 ~minimax-m3
0.4 1.6 0.08 | ~qwen3p7-plus
0.45 1.8 | ~qwen3-coder-480b-a35b-instruct
0.5 0.5 | ~deepseek-coder-v2-lite-base ~deepseek-coder-v2-lite-instruct ~deepseek-v2-lite-chat
0.5 0.5 | ~dolphin-2p6-mixtral-8x7b ~firefunction-v1 ~gpt-oss-safeguard-20b ~mixtral-8x7b ~mixtral-8x7b-instruct
0.5 0.5 | ~mixtral-8x7b-instruct-hf ~nous-hermes-2-mixtral-8x7b-dpo ~qwen3-30b-a3b-instruct-2507
0.55 2.19 | ~deepseek-r1-basic ~glm-4p5 ~glm-4p6
0.56 1.68 | ~deepseek-v3p1 ~deepseek-v3p1-terminus ~deepseek-v3p2
0.6 2.2 0.3 | ~glm-4p7
0.6 2.5 | ~kimi-k2-instruct ~kimi-k2-instruct-0905 ~kimi-k2-thinking
0.6 3 0.1 | ~kimi-k2p5
0.9 0.9 | ~code-llama-34b ~code-llama-34b-instruct ~code-llama-34b-python ~code-llama-70b ~code-llama-70b-instruct
0.9 0.9 | ~code-llama-70b-python ~cogito-v1-preview-llama-70b ~cogito-v1-preview-qwen-32b ~deepseek-coder-33b-instruct
0.9 0.9 | ~deepseek-r1-distill-llama-70b ~deepseek-r1-distill-qwen-32b ~deepseek-v3 ~deepseek-v3-0324
0.9 0.9 | ~devstral-small-2505 ~dobby-unhinged-llama-3-3-70b-new ~dolphin-2-9-2-qwen2-72b ~fare-20b ~firefunction-v2
0.9 0.9 | ~gemma-3-27b-it ~internvl3-38b ~internvl3-78b ~kat-coder ~kat-dev-32b ~kat-dev-72b-exp ~llama-v2-70b-chat
0.9 0.9 | ~llama-v3-70b-instruct ~llama-v3-70b-instruct-hf ~llama-v3p1-70b-instruct ~llama-v3p1-nemotron-70b-instruct
0.9 0.9 | ~llama-v3p2-90b-vision-instruct ~llama-v3p3-70b-instruct ~llava-yi-34b ~mistral-small-24b-instruct-2501
0.9 0.9 | ~nous-hermes-2-yi-34b ~nous-hermes-llama2-70b ~phind-code-llama-34b-python-v1 ~phind-code-llama-34b-v1
0.9 0.9 | ~phind-code-llama-34b-v2 ~qwen-qwq-32b-preview ~qwen1p5-72b-chat ~qwen2-72b-instruct ~qwen2-vl-72b-instruct
0.9 0.9 | ~qwen2p5-32b ~qwen2p5-32b-instruct ~qwen2p5-72b ~qwen2p5-72b-instruct ~qwen2p5-coder-32b
0.9 0.9 | ~qwen2p5-coder-32b-instruct ~qwen2p5-coder-32b-instruct-128k ~qwen2p5-coder-32b-instruct-32k-rope
0.9 0.9 | ~qwen2p5-coder-32b-instruct-64k ~qwen2p5-math-72b-instruct ~qwen2p5-vl-32b-instruct ~qwen2p5-vl-72b-instruct
0.9 0.9 | ~qwen3-30b-a3b-thinking-2507 ~qwen3-32b ~qwen3-coder-480b-instruct-bf16 ~qwen3-next-80b-a3b-instruct
0.9 0.9 | ~qwen3-next-80b-a3b-thinking ~qwen3-vl-32b-instruct ~qwq-32b ~yi-34b ~yi-34b-200k-capybara ~yi-34b-chat
0.95 4 0.16 | ~kimi-k2p6
0.95 4 0.19 | ~kimi-k2p7-code
1.2 1.2 | ~cogito-671b-v2-p1 ~dbrx-instruct ~deepseek-coder-v2-instruct ~deepseek-prover-v2 ~deepseek-v2p5 ~glm-4p5v
1.2 1.2 | ~gpt-oss-safeguard-120b ~mistral-large-3-fp8 ~mixtral-8x22b ~mixtral-8x22b-instruct
1.2 1.2 | ~mixtral-8x22b-instruct-hf
1.4 4.4 0.14 | ~glm-5p2
1.4 4.4 0.26 | ~glm-5p1
1.74 3.48 0.145 | ~deepseek-v4-pro
1.9 8 0.38 | accounts/fireworks/routers/kimi-k2p7-code-fast
2 8 0.3 | accounts/fireworks/routers/kimi-k2p6-fast
2.8 8.8 0.52 | accounts/fireworks/routers/glm-5p1-fast
3 3 | ~llama-v3p1-405b-instruct ~yi-large
3 8 | ~deepseek-r1 ~deepseek-r1-0528
`

export const openrouter = `
0.02 0.1 | openai/gpt-oss-20b
0.05 0.4 0.005 | openai/gpt-5-nano
0.07 0.4 0 | z-ai/glm-4.7-flash
0.071 0.1 | qwen/qwen3-235b-a22b-2507
0.1 0.1 | mistralai/ministral-3b-2512
0.1 0.2 | bytedance/ui-tars-1.5-7b
0.1 0.3 | mistralai/mistral-small-3.1-24b-instruct mistralai/mistral-small-3.2-24b-instruct
0.1 0.3 0.01 | xiaomi/mimo-v2-flash
0.1 0.4 | google/gemini-2.0-flash-001 qwen/qwen3.5-flash-02-23
0.1 0.4 0.025 | openai/gpt-4.1-nano
0.11 0.6 | qwen/qwen3-235b-a22b-thinking-2507
0.13 0.13 | mistralai/mistral-7b-instruct
0.14 0.28 | deepseek/deepseek-chat deepseek/deepseek-chat-v3-0324
0.15 0.15 | mistralai/ministral-8b-2512
0.15 0.6 | mistralai/devstral-2512
0.18 0.18 | qwen/qwen-2.5-coder-32b-instruct
0.18 0.8 | openai/gpt-oss-120b
0.2 0.2 | mistralai/ministral-14b-2512
0.2 0.4 | deepseek/deepseek-v3.2-exp
0.2 0.8 | deepseek/deepseek-chat-v3.1
0.21 0.63 | qwen/qwen-vl-plus
0.22 0.95 | qwen/qwen3-coder
0.25 1.25 | anthropic/claude-3-haiku
0.25 1.5 0.025 | google/gemini-3.1-flash-lite google/gemini-3.1-flash-lite-preview
0.25 2 | qwen/qwen3.5-35b-a3b
0.25 2 0.025 | openai/gpt-5-mini
0.255 1.02 | minimax/minimax-m2
0.27 1.2 0 | minimax/minimax-m2.1
0.28 0.4 | deepseek/deepseek-v3.2
0.3 1.1 0.15 | minimax/minimax-m2.5
0.3 2.4 | qwen/qwen3.5-27b
0.3 2.5 | google/gemini-2.5-flash
0.325 1.95 | qwen/qwen3.6-plus
0.4 1.5 0 | z-ai/glm-4.7
0.4 1.6 0.1 | openai/gpt-4.1-mini
0.4 1.75 | z-ai/glm-4.6
0.4 2 | qwen/qwen3.5-122b-a10b
0.4 2 0.08 | xiaomi/mimo-v2.5
0.4 2.4 | qwen/qwen3.5-plus-02-15
0.45 1.9 | z-ai/glm-4.6:exacto
0.5 1.5 | mistralai/mistral-large-2512
0.5 2.15 | deepseek/deepseek-r1-0528
0.5 3 0.05 | google/gemini-3-flash-preview
0.55 2.19 | deepseek/deepseek-r1
0.59 0.79 | meta-llama/llama-3-70b-instruct
0.6 3 0.1 | moonshotai/kimi-k2.5
0.6 3.6 | qwen/qwen3.5-397b-a17b
0.65 0.65 | mistralai/mixtral-8x22b-instruct
0.8 2.56 | z-ai/glm-5
0.85 3.4 | switchpoint/router
1 3 0.2 | xiaomi/mimo-v2.5-pro
1 5 | qwen/qwen3-coder-plus
1 5 0.1 | anthropic/claude-haiku-4.5
1.05 3.5 0.525 | z-ai/glm-5.1
1.1 4.4 | openai/o3-mini openai/o3-mini-high
1.25 10 | google/gemini-2.5-pro
1.25 10 0.125 | openai/gpt-5 openai/gpt-5-chat openai/gpt-5-codex openai/gpt-5.1-codex-max
1.5 2 | openai/gpt-3.5-turbo
1.75 14 0.175 | openai/gpt-5.2 openai/gpt-5.2-chat openai/gpt-5.2-codex
1.875 1.875 | gryphe/mythomax-l2-13b undi95/remm-slerp-l2-13b
2 8 0.5 | openai/gpt-4.1
2 12 0.2 | google/gemini-3-pro-preview google/gemini-3.1-pro-preview
2.5 10 | openai/gpt-4o
3 4 | openai/gpt-3.5-turbo-16k
3 15 | anthropic/claude-3.5-sonnet anthropic/claude-3.7-sonnet x-ai/grok-4
3 15 0.3 | anthropic/claude-sonnet-4 anthropic/claude-sonnet-4.5 anthropic/claude-sonnet-4.6
5 15 | openai/gpt-4o-2024-05-13
5 25 0.5 | anthropic/claude-opus-4.5 anthropic/claude-opus-4.6 anthropic/claude-opus-4.7
5.625 5.625 | mancer/weaver
8 24 | mistralai/mistral-large
15 60 7.5 | openai/o1
15 75 1.5 | anthropic/claude-opus-4 anthropic/claude-opus-4.1
21 168 | openai/gpt-5.2-pro
30 60 | openai/gpt-4
`
