-- actor_is: who acts, and why, for the journal of steps; this transaction
-- only.
create or replace function wxpay_data.actor_is(p_actor text, p_reason text)
    returns void language sql as $$
    select set_config('wxpay.actor', coalesce(p_actor, ''), true),
        set_config('wxpay.reason', coalesce(p_reason, ''), true);
$$;
