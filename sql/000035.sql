-- MIG: an engine on a slice of a board shares the board's meter with those on its other slices (books/slices.ts).
alter table engine_meter add column slice text;           -- such as h200/3g.71gb or 60of132; null: all of the board
alter table engine_meter add column sms integer;          -- streaming multiprocessors of the slice
alter table engine_meter add column board_sms integer;
alter table engine_meter add column instance text;        -- DCGM's GPU_I_ID, by which its activity is measured; null: not said
alter table meter add column idle_rule text;              -- of a board in slices: sms | pool; null: sms
alter table meter_interval add column instances text;     -- JSON by GPU_I_ID: profile, and microseconds in which it was busy, as measured
alter table meter_interval add column slices text;        -- JSON: what each slice counted when it was attributed; null: not in slices
