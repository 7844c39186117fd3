-- What a meter of engines elsewhere draws while nobody works there, W; null: there was no such time yet (books/window-work.ts).
alter table meter add column floor_w real;
