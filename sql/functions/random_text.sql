-- random_text: so many characters of the base64url alphabet, 6 random bits
-- each: 22 hold 128 bits.  From the server's cryptographic generator.
create or replace function wxpay_data.random_text(p_length int)
    returns text language sql volatile as $$
    -- a version-4 uuid is 122 random bits; hashing two loses none of them
    select left(translate(encode(sha256(uuid_send(gen_random_uuid())
        || uuid_send(gen_random_uuid())), 'base64'), '+/=', '-_'), p_length)
$$;
