-- How soon the answers of a key are waited for, unless a request says otherwise (lines/inference/slo.ts).
alter table api_key add column slo text not null default 'standard';
