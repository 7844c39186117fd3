/**
 * List prices of Groq, Cerebras, Together, DeepInfra and Baseten.
 * US dollars per million tokens: prompt, answer and, where it has a price of its own, prompt read from a cache; then the models.
 * Source: `model_prices_and_context_window.json` of BerriAI/litellm (MIT), as of 2026-08-01, reduced to these figures.
 */
export const groq = `
0.05 0.08 | gemma-7b-it llama-3.1-8b-instant
0.075 0.3 0.037 | openai/gpt-oss-safeguard-20b
0.075 0.3 0.0375 | openai/gpt-oss-20b
0.11 0.34 | meta-llama/llama-4-scout-17b-16e-instruct
0.15 0.6 0.075 | openai/gpt-oss-120b
0.2 0.2 | meta-llama/llama-guard-4-12b
0.2 0.6 | meta-llama/llama-4-maverick-17b-128e-instruct
0.29 0.59 | qwen/qwen3-32b
0.59 0.79 | llama-3.3-70b-versatile
1 3 0.5 | moonshotai/kimi-k2-instruct-0905
`

export const cerebras = `
0.1 0.1 | llama3.1-8b
0.35 0.75 | gpt-oss-120b
0.4 0.8 | qwen-3-32b
0.6 0.6 | llama3.1-70b
0.85 1.2 | llama-3.3-70b
2.25 2.75 | zai-glm-4.6 zai-glm-4.7
`

export const together = `
0.008 0 | BAAI/bge-base-en-v1.5 baai/bge-base-en-v1.5
0.05 0.2 | openai/gpt-oss-20b
0.15 0.6 | openai/gpt-oss-120b
0.15 1.5 | Qwen/Qwen3-Next-80B-A3B-Instruct Qwen/Qwen3-Next-80B-A3B-Thinking
0.18 0.18 | meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo
0.18 0.59 | meta-llama/Llama-4-Scout-17B-16E-Instruct
0.2 0.6 | Qwen/Qwen3-235B-A22B-fp8-tput
0.2 1.1 | zai-org/GLM-4.5-Air-FP8
0.2 6 | Qwen/Qwen3-235B-A22B-Instruct-2507-tput
0.27 0.85 | meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8
0.45 2 | zai-org/GLM-4.7
0.5 2.8 | moonshotai/Kimi-K2.5
0.55 2.19 | deepseek-ai/DeepSeek-R1-0528-tput
0.6 0.6 | mistralai/Mixtral-8x7B-Instruct-v0.1
0.6 1.7 | deepseek-ai/DeepSeek-V3.1
0.6 2.2 | zai-org/GLM-4.6
0.6 3.6 | Qwen/Qwen3.5-397B-A17B
0.65 3 | Qwen/Qwen3-235B-A22B-Thinking-2507
0.88 0.88 | meta-llama/Llama-3.3-70B-Instruct-Turbo meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo
1 3 | moonshotai/Kimi-K2-Instruct moonshotai/Kimi-K2-Instruct-0905
1.25 1.25 | deepseek-ai/DeepSeek-V3
2 2 | Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8
3 7 | deepseek-ai/DeepSeek-R1
3.5 3.5 | meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo
`

export const deepinfra = `
0.02 0.02 | meta-llama/Llama-3.2-3B-Instruct
0.02 0.03 | meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo
0.02 0.04 | mistralai/Mistral-Nemo-Instruct-2407
0.03 0.05 | meta-llama/Meta-Llama-3.1-8B-Instruct
0.03 0.06 | meta-llama/Meta-Llama-3-8B-Instruct
0.04 0.05 | Sao10K/L3-8B-Lunaris-v1-Turbo
0.04 0.08 | google/gemma-3-4b-it
0.04 0.1 | Qwen/Qwen2.5-7B-Instruct
0.04 0.15 | openai/gpt-oss-20b
0.04 0.16 | nvidia/NVIDIA-Nemotron-Nano-9B-v2
0.049 0.049 | meta-llama/Llama-3.2-11B-Vision-Instruct
0.05 0.08 | mistralai/Mistral-Small-24B-Instruct-2501
0.05 0.1 | google/gemma-3-12b-it
0.05 0.45 | openai/gpt-oss-120b
0.055 0.055 | meta-llama/Llama-Guard-3-8B
0.06 0.24 | Qwen/Qwen3-14B
0.07 0.14 | microsoft/phi-4
0.075 0.2 | mistralai/Mistral-Small-3.2-24B-Instruct-2506
0.08 0.09 | Gryphe/MythoMax-L2-13b
0.08 0.29 | Qwen/Qwen3-30B-A3B
0.08 0.3 | meta-llama/Llama-4-Scout-17B-16E-Instruct
0.09 0.16 | google/gemma-3-27b-it
0.09 0.6 | Qwen/Qwen3-235B-A22B-Instruct-2507
0.1 0.28 | Qwen/Qwen3-32B meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo
0.1 0.4 | google/gemini-2.0-flash-001 nvidia/Llama-3.3-Nemotron-Super-49B-v1.5
0.12 0.39 | Qwen/Qwen2.5-72B-Instruct
0.13 0.39 | meta-llama/Llama-3.3-70B-Instruct-Turbo
0.14 1.4 | Qwen/Qwen3-Next-80B-A3B-Instruct Qwen/Qwen3-Next-80B-A3B-Thinking
0.15 0.4 | Qwen/QwQ-32B
0.15 0.6 | meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8
0.18 0.18 | meta-llama/Llama-Guard-4-12B
0.18 0.54 | Qwen/Qwen3-235B-A22B
0.2 0.6 | Qwen/Qwen2.5-VL-32B-Instruct deepseek-ai/DeepSeek-R1-Distill-Llama-70B
0.23 0.4 | meta-llama/Llama-3.3-70B-Instruct
0.25 0.88 | deepseek-ai/DeepSeek-V3-0324
0.27 0.27 | deepseek-ai/DeepSeek-R1-Distill-Qwen-32B
0.27 1 0.216 | deepseek-ai/DeepSeek-V3.1 deepseek-ai/DeepSeek-V3.1-Terminus
0.27 1.5 | allenai/olmOCR-7B-0725-FP8
0.29 1.2 | Qwen/Qwen3-Coder-480B-A35B-Instruct-Turbo
0.3 0.3 | NousResearch/Hermes-3-Llama-3.1-70B
0.3 2.5 | google/gemini-2.5-flash
0.3 2.9 | Qwen/Qwen3-235B-A22B-Thinking-2507
0.38 0.89 | deepseek-ai/DeepSeek-V3
0.4 0.4 | meta-llama/Meta-Llama-3.1-70B-Instruct mistralai/Mixtral-8x7B-Instruct-v0.1
0.4 1.6 | Qwen/Qwen3-Coder-480B-A35B-Instruct zai-org/GLM-4.5
0.48 0.48 | microsoft/WizardLM-2-8x22B
0.5 2 | moonshotai/Kimi-K2-Instruct
0.5 2 0.4 | moonshotai/Kimi-K2-Instruct-0905
0.5 2.15 0.4 | deepseek-ai/DeepSeek-R1-0528
0.6 0.6 | nvidia/Llama-3.1-Nemotron-70B-Instruct
0.65 0.75 | Sao10K/L3.1-70B-Euryale-v2.2 Sao10K/L3.3-70B-Euryale-v2.3
0.7 2.4 | deepseek-ai/DeepSeek-R1
1 1 | NousResearch/Hermes-3-Llama-3.1-405B
1 3 | deepseek-ai/DeepSeek-R1-0528-Turbo deepseek-ai/DeepSeek-R1-Turbo
1.25 10 | google/gemini-2.5-pro
3.3 16.5 | anthropic/claude-4-sonnet
3.3 16.5 0.33 | anthropic/claude-3-7-sonnet-latest
16.5 82.5 | anthropic/claude-4-opus
`

export const baseten = `
0.1 0.5 | openai/gpt-oss-120b
0.3 0.75 | nvidia/Nemotron-120B-A12B
0.3 1.2 | MiniMaxAI/MiniMax-M2.5
0.5 1.5 | deepseek-ai/DeepSeek-V3.1
0.6 2.2 | zai-org/GLM-4.6 zai-org/GLM-4.7
0.6 2.5 | moonshotai/Kimi-K2-Instruct-0905 moonshotai/Kimi-K2-Thinking
0.6 3 | moonshotai/Kimi-K2.5
0.77 0.77 | deepseek-ai/DeepSeek-V3-0324
0.95 3.15 | zai-org/GLM-5
`
