"""Serves one GGUF with llama.cpp's own HTTP server; prints where, and ends when its standard input does."""

import json
import sys

import xllamacpp

model, alias, context, kind = sys.argv[1:5]
params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = {alias}
params.port = 0
params.n_ctx = int(context)
params.n_parallel = 1 if kind == "embeddings" else 2
params.cpuparams.n_threads = 1
params.endpoint_metrics = True
params.embedding = kind == "embeddings"
params.warmup = False
params.use_jinja = True
server = xllamacpp.Server(params)
print(json.dumps({"url": server.listening_address, "version": xllamacpp.__version__}), flush=True)
sys.stdin.read()
