-- Requests in the order in which they were booked: which transaction settled each. A reader that goes on after (booked, id) sees every
-- request once, also one of a dead gateway that is booked long after it ended. 0: from before there was this order.
alter table request add column booked integer not null default 0;
create index request_booked on request (booked, id);
