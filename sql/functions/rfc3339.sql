-- rfc3339: an instant as our answers write it, Beijing time.
create or replace function wxpay_data.rfc3339(p_at timestamptz)
    returns text language sql stable as $$
    select to_char(p_at at time zone 'Asia/Shanghai',
        'YYYY-MM-DD"T"HH24:MI:SS"+08:00"')
$$;
