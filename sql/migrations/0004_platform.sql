-- Openids by WeChat's OAuth, and what the JS-SDK needs.

-- One way from our page to WeChat's and back.  [platform.md 2, threats P12]
create table wxpay_data.oauth_states (
    mchid    text not null references wxpay_data.merchants,
    state    text not null,
    order_no text not null,
    browser  text not null,                    -- digest of its cookie
    tries    int not null,                     -- ways taken in a row
    made_at  timestamptz not null default now(),
    used_by  text,                             -- the request that came back
    primary key (mchid, state),
    constraint oauth_states_order_exists
        foreign key (mchid, order_no) references wxpay_data.orders,
    constraint oauth_states_state_is_random
        check (state ~ '^[0-9a-f]{32}$'),
    constraint oauth_states_browser_is_a_digest
        check (browser ~ '^[0-9a-f]{64}$'),
    constraint oauth_states_go_twice_at_most
        check (tries between 1 and 2)
);
create index oauth_states_to_sweep on wxpay_data.oauth_states (made_at);

-- What the worker has fetched for all machines, who does so, and when next.
create table wxpay_data.wechat_tokens (
    mchid        text not null references wxpay_data.merchants,
    appid        text not null,
    kind         text not null,
    value        text,
    fetched_at   timestamptz,
    ends_at      timestamptz,
    due_at       timestamptz not null default now(),
    leased_until timestamptz,
    lease_no     bigint not null default 0,
    failures     int not null default 0,       -- in a row
    outcome      text,                         -- of the last call
    primary key (mchid, appid, kind),
    constraint wechat_tokens_kind_is_known
        check (kind in ('access_token', 'jsapi_ticket')),
    constraint wechat_tokens_value_iff_it_has_a_life
        check (num_nonnulls(value, fetched_at, ends_at) in (0, 3))
);
