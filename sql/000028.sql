-- What a model's context holds where the engine's list of models tells it: prompt and answer, in tokens.
alter table engine_model add column context_tokens integer;
