-- wrk: one product, a new order each time.
wrk.method = "POST"
wrk.body = "product_id=tea&quantity=1&trade_type=NATIVE"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
