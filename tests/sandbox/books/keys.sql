-- keys: which key WeChat signs API V3 with, and which it lists.

-- What serials the program has keys for; null: it has none of that name.  A
-- first start sets who signs, a later one finds what was set.
create or replace function sandbox.keys_start(serial_1 text, serial_2 text,
    serial_public text, mode text) returns void
language plpgsql as $$
begin
    delete from sandbox.keys k
    where (k.name, k.serial) not in (('1', coalesce(serial_1, '')),
        ('2', coalesce(serial_2, '')), ('public', coalesce(serial_public, '')));
    insert into sandbox.keys (name, serial)
    select v.name, v.serial from (values ('1', serial_1), ('2', serial_2),
        ('public', serial_public)) as v (name, serial)
    where v.serial is not null
    on conflict do nothing;
    update sandbox.settings
    set signer = case mode when 'public' then 'public' else '1' end
    where signer is null
        or signer <> 'mixed' and signer not in (select name from sandbox.keys);
    if found then
        update sandbox.keys set listed = mode <> 'public' where name = '1';
    end if;
end $$;

-- Change what is not null: listed is names with commas between, or "none".
create or replace function sandbox.keys_set(new_listed text, new_signer text)
returns json
language plpgsql as $$
declare
    names text[] := case new_listed when 'none' then '{}'
        else string_to_array(new_listed, ',') end;
begin
    if exists (select from unnest(names) n where n not in (
            select name from sandbox.keys where name <> 'public')) then
        raise exception using errcode = '22023',
            message = 'listed: 1, 2, 1,2 or none, of those there are';
    elsif new_signer <> 'mixed' and new_signer not in (
            select name from sandbox.keys) then
        raise exception using errcode = '22023',
            message = 'signer: 1, 2, public or mixed, of those there are';
    end if;
    update sandbox.keys set listed = name = any (names)
    where names is not null;
    update sandbox.settings set signer = coalesce(new_signer, signer);
    if not exists (select from sandbox.keys
            where listed or name = 'public') then
        if (select signer from sandbox.settings) = 'mixed' then
            raise exception using errcode = '22023',
                message = 'signer: nobody is left to take turns';
        end if;
    end if;
    return sandbox.keys_state();
end $$;

-- {"listed":["1"],"signer":"1","keys":{"1":"SERIAL","2":"SERIAL"}}
create or replace function sandbox.keys_state() returns json
language sql stable as $$
    select json_build_object(
        'listed', (select coalesce(json_agg(k.name order by k.name), '[]')
            from sandbox.keys k where k.listed),
        'signer', (select s.signer from sandbox.settings s),
        'keys', (select coalesce(json_object_agg(k.name, k.serial), '{}')
            from sandbox.keys k))
$$;

-- Whose turn it is to sign: [v3.md 5.3] the one that a request names, if it is
-- in use; else who is set.
create or replace function sandbox.keys_signer(named text) returns text
language plpgsql as $$
declare
    who   text;
    those text[];
begin
    select k.name into who from sandbox.keys k
    where k.serial = named and (k.listed or k.name = 'public');
    if who is null then
        select s.signer into who from sandbox.settings s;
    end if;
    if who = 'mixed' then
        select array_agg(k.name order by k.name) into those
        from sandbox.keys k where k.listed or k.name = 'public';
        who := those[1 + nextval('sandbox.turn') % cardinality(those)];
    end if;
    return who;
end $$;
