// cashier: follows one order until it is paid, and offers the shopper what can
// be done meanwhile: the QR code on a desktop, WeChat's own window inside
// WeChat, its H5 page on a phone.  Believes nothing but what the server says
// of the order.  ES2018, for old phones' WebViews.
//
// The order's number and token stand in the fragment, which no server sees.
'use strict';

(function () {
	const QUICK_MS = 1000;		// between two looks at the order, at first
	const SLOWER = 1.2;		// each next one
	const SLOW_MS = 10000;		// at most, while it may be paid
	const IDLE_MS = 60000;		// and afterwards
	const TROUBLE_MS = 30000;	// at most, when there are no answers
	const ANSWER_MS = 40000;	// the server itself gives up before
	const BRIDGE_MS = 3000;		// until the JS-SDK is tried instead
	const CHECK_MS = 5000;		// the server asks WeChat no more often
	const LEAVE_MS = 1200;		// to read that it is paid

	const WORDS = {
		zh: {
			title: '微信支付',
			amount: '金额', what: '商品', number: '订单号',
			left: '剩余时间',
			pending: '等待付款', closing: '正在取消订单',
			closed: '订单已关闭', expired: '订单已过期',
			paid: '支付成功', nothing: '找不到该订单',
			nothing_note: '请从商店页面重新打开收银台。',
			scan_how: '请用手机微信扫描二维码付款。',
			scan_how_phone: '请保存或截图此二维码，再用微信扫一扫从相册选取。',
			scan_how_wechat: '请长按二维码付款。',
			qr_alt: '付款二维码，金额',
			qr_alone: '二维码无法显示？单独打开',
			pay: '微信支付', again_try: '重试',
			check: '我已付款', cancel: '取消订单',
			sure: '确定要取消订单吗？', sure_yes: '取消订单',
			sure_no: '继续付款',
			again: '重新付款', back: '返回商店',
			leaving: '正在返回商店…',
			asking: '正在向微信确认…',
			not_yet: '微信尚未确认付款，如已付款请稍候。',
			late: '微信尚未答复，请稍候…',
			charging: '正在收银台用付款码收款，请稍候…',
			busy: '请求较多，请稍候…',
			trouble: '网络不畅，正在重试…',
			unsure: '未收到答复，请再试一次。',
			aborted: '您已取消支付，可以重新付款。',
			failed: '支付未完成，可以重试。',
			no_openid: '未能获得微信授权，请重试。',
			too_many: '付款尝试次数过多，请重新下单。',
			refused: '微信支付拒绝了此请求，请稍后重试。',
			error: '出错了，请稍后重试。',
			refund: '申请退款', refunds: '退款',
			refund_fee: '退款金额（元）', refund_left: '最多可退',
			reason: '退款原因（选填）', refund_ask: '提交退款申请',
			refund_asked: '退款申请已提交。',
			refund_known: '该退款申请已提交过，请查看下方。',
			refund_wrong: '请输入正确的金额，最多可退',
			refund_overdue: '付款已超过一年，无法退款。',
			refund_many: '该订单的退款次数过多。',
			refund_unsure: '未收到答复，请再次提交，不会重复退款。',
			refund_pending: '等待商家处理',
			refund_refunding: '退款中',
			refund_refunded: '已退款', refund_rejected: '商家未同意',
			refund_failed: '退款失败，请联系商家',
		},
		en: {
			title: 'WeChat Pay',
			amount: 'Amount', what: 'For', number: 'Order',
			left: 'Time left',
			pending: 'Waiting for your payment',
			closing: 'The order is being cancelled',
			closed: 'The order is closed',
			expired: 'The order has expired',
			paid: 'Paid', nothing: 'There is no such order',
			nothing_note: 'Please open the cashier from the shop again.',
			scan_how: 'Scan the code with WeChat on your phone.',
			scan_how_phone: 'Save this code as a picture, then choose '
			    + 'it in the scanner of WeChat.',
			scan_how_wechat: 'Press and hold the code to pay.',
			qr_alt: 'QR code to pay',
			qr_alone: 'No code to be seen? Open it on its own',
			pay: 'Pay with WeChat', again_try: 'Try again',
			check: 'I have paid', cancel: 'Cancel the order',
			sure: 'Really cancel the order?', sure_yes: 'Yes, cancel',
			sure_no: 'No, go on',
			again: 'Pay again', back: 'Back to the shop',
			leaving: 'Taking you back to the shop…',
			asking: 'Asking WeChat…',
			not_yet: 'WeChat has not confirmed a payment yet.',
			late: 'WeChat has not answered yet. One moment…',
			charging: 'A payment code is being charged at the till. '
			    + 'One moment…',
			busy: 'Many requests at once. One moment…',
			trouble: 'The connection is bad. Trying again…',
			unsure: 'No answer came. Please try again.',
			aborted: 'You have left the payment. You can try again.',
			failed: 'The payment was not made. You can try again.',
			no_openid: 'WeChat has not said who you are. '
			    + 'Please try again.',
			too_many: 'Too many attempts to pay. '
			    + 'Please order again.',
			refused: 'WeChat Pay refused. Please try again later.',
			error: 'Something went wrong. Please try again later.',
			refund: 'Request a refund', refunds: 'Refunds',
			refund_fee: 'Amount in yuan', refund_left: 'At most',
			reason: 'Reason (optional)',
			refund_ask: 'Send the request',
			refund_asked: 'The refund was requested.',
			refund_known: 'This refund was requested before: '
			    + 'see below.',
			refund_wrong: 'Please enter an amount of at most',
			refund_overdue: 'Paid more than a year ago: '
			    + 'no refund is possible.',
			refund_many: 'This order has too many refunds.',
			refund_unsure: 'No answer came. Please send it again: '
			    + 'it counts only once.',
			refund_pending: 'waiting for the shop',
			refund_refunding: 'on its way',
			refund_refunded: 'refunded',
			refund_rejected: 'declined by the shop',
			refund_failed: 'failed: please ask the shop',
		},
	};

	const $ = (id) => document.getElementById(id);
	const now = () => performance.now();

	// ---- language

	// As the programs choose it by Accept-Language.
	function choose_language() {
		const wishes = navigator.languages || [navigator.language || 'zh'];
		const known = wishes.map((wish) => wish.slice(0, 2).toLowerCase())
			.filter((wish) => wish in WORDS);
		return known.length > 0 ? known[0] : 'en';
	}

	const language = choose_language();
	const words = WORDS[language];

	function translate() {
		document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
		document.title = words.title;
		for (const element of document.querySelectorAll('[data-text]'))
			element.textContent = words[element.dataset.text];
	}

	// ---- small things

	// Said once: a screen reader repeats what is set again.
	function say(id, text) {
		if ($(id).textContent !== text)
			$(id).textContent = text;
	}

	const note = (word) => say('note', word ? words[word] || '' : '');

	const show = (id, is_shown) => {
		$(id).hidden = !is_shown;
	};

	// Not "disabled": who is on the button would be thrown off it.
	const is_busy = (id) => $(id).getAttribute('aria-disabled') === 'true';
	const set_busy = (id, value) => $(id).setAttribute('aria-disabled', value);

	function yuan(fen) {
		const cents = `0${fen % 100}`.slice(-2);
		return `¥${Math.floor(fen / 100)}.${cents}`;
	}

	// Fen of what a person typed, or 0.
	function fen_of(text) {
		const match = /^\s*[¥￥]?\s*(\d{1,8})(?:\.(\d{1,2}))?\s*$/.exec(text);
		return match ? Number(match[1]) * 100
		    + Number(`${match[2] || ''}00`.slice(0, 2)) : 0;
	}

	function random_id() {
		return Array.from(crypto.getRandomValues(new Uint8Array(16)),
			(byte) => `0${byte.toString(16)}`.slice(-2)).join('');
	}

	// What this tab remembers; nothing, where storage is forbidden.
	function memory(act) {
		try {
			return act(sessionStorage);
		} catch (error) {
			return null;
		}
	}

	const keep = (name, value) => memory((tab) => tab.setItem(name, value));
	const kept = (name) => memory((tab) => tab.getItem(name));
	const forget = (name) => memory((tab) => tab.removeItem(name));

	function go(url) {
		if (new URL(url, location.href).protocol === 'https:')
			location.assign(url);
	}

	// ---- asking the server

	function parse(text) {
		try {
			return JSON.parse(text) || {};
		} catch (error) {
			return {};
		}
	}

	// { status, json, wait_ms }; status 0 if no answer came.
	function ask(method, path, fields) {
		return new Promise((resolve) => {
			const request = new XMLHttpRequest();
			request.open(method, path);
			request.timeout = ANSWER_MS;
			request.setRequestHeader('Accept', 'application/json');
			if (fields)
				request.setRequestHeader('Content-Type',
					'application/x-www-form-urlencoded');
			request.onloadend = () => resolve({
				status: request.status,
				json: parse(request.responseText),
				wait_ms: 1000 * request.getResponseHeader('Retry-After'),
			});
			request.send(fields
				? new URLSearchParams(fields).toString() : null);
		});
	}

	// Nothing was said about the order: the same may be asked again.
	const is_trouble = ({ status, json }) => status === 0 || status === 429
	    || status >= 500 && json.code !== 'WECHAT_REFUSED';

	// Longer each time, and not all shoppers at the same moment.
	function patience(count, wait_ms) {
		const ms = Math.min(TROUBLE_MS, QUICK_MS * Math.pow(2, count));
		return Math.max(wait_ms || 0, ms * (0.75 + Math.random() / 2));
	}

	// ---- which order

	function read_order() {
		const given = new URLSearchParams(location.hash.slice(1));
		const saved = new URLSearchParams(kept('cashier') || '');
		const of = given.get('order_no') ? given : saved;
		const order_no = of.get('order_no') || '';
		const token = of.get('token') || '';
		return /^[0-9A-Za-z][0-9A-Za-z_-]{5,27}$/.test(order_no)
		    && /^[0-9A-Za-z_-]{22}$/.test(token)
			? { order_no, token } : null;
	}

	const me = read_order();
	const is_wechat = /MicroMessenger/i.test(navigator.userAgent);
	const is_phone = !is_wechat
	    && /Android|iPhone|iPad|iPod|HarmonyOS|Mobile/i.test(
		navigator.userAgent);

	const order_path = (what) => `pay/${me.order_no}${what}`;
	const fragment = () => `order_no=${me.order_no}&token=${me.token}`;

	let order = null;	// as the server said last
	let stage = '';		// what that means to the shopper
	let ends_at = 0;	// of the time left
	let was_open = Boolean(me) && kept('seen') === me.order_no;

	// ---- following it

	let timer = 0;
	let pause_ms = QUICK_MS;
	let trouble_count = 0;
	let is_looking = false;
	let is_wanted_again = false;

	const is_refunding = () => order.refunds.some(({ state }) =>
		state === 'pending' || state === 'refunding');

	const is_over = () => stage === 'nothing'
	    || stage === 'paid' && !is_refunding();

	function plan(ms) {
		clearTimeout(timer);
		if (!document.hidden && !is_over())
			timer = setTimeout(look, ms);
	}

	async function look() {
		clearTimeout(timer);
		is_wanted_again = is_looking;
		if (is_looking)
			return;
		is_looking = true;
		const answer = await ask('GET',
			order_path(`?token=${me.token}`));
		is_looking = false;
		if (is_trouble(answer)) {
			trouble_count++;
			note(answer.status === 429 ? 'busy' : 'trouble');
			plan(patience(trouble_count, answer.wait_ms));
			return;
		}
		if (trouble_count > 0)
			note('');
		trouble_count = 0;
		if (answer.status === 200)
			show_order(answer.json);
		else
			show_nothing();
		if (is_wanted_again) {
			look();
			return;
		}
		const most = stage === 'paid' || stage === 'closed'
			? IDLE_MS : SLOW_MS;
		pause_ms = Math.min(pause_ms * SLOWER, most);
		plan(pause_ms);
		prepare();
	}

	// Something has happened, or is about to.
	function look_now() {
		if (stage === 'nothing')
			return;
		pause_ms = QUICK_MS;
		look();
	}

	// ---- showing it

	function stage_of({ state, closing, expires_in }) {
		if (state === 'paid')
			return 'paid';
		if (state === 'closed')
			return expires_in > 0 ? 'closed' : 'expired';
		if (closing)
			return 'closing';
		return expires_in > 0 ? 'pending' : 'expired';
	}

	function show_nothing() {
		stage = 'nothing';
		show_stage();
		note('nothing_note');
		say('state', words.nothing);
	}

	function show_order(said) {
		const before = `${stage} ${order && order.state}`;
		order = said;
		stage = stage_of(order);
		ends_at = now() + order.expires_in * 1000;
		say('amount', yuan(order.total_fee));
		say('what', order.body);
		say('quantity', order.quantity > 1 ? `× ${order.quantity}` : '');
		say('number', order.order_no);
		say('state', words[stage]);
		document.title = `${words[stage]} ${yuan(order.total_fee)}`;
		show_left();
		show_code();
		show_refunds();
		if (`${stage} ${order.state}` !== before) {
			note('');
			show_stage();
			if (stage === 'pending') {
				was_open = true;
				keep('seen', me.order_no);
			}
		}
		if (stage === 'paid')
			leave();
	}

	// The parts that a stage has.  Whoever was in one that goes away is
	// taken to the headline.
	function show_stage() {
		const has_focus = document.activeElement
		    && document.activeElement !== document.body;
		const is_open = stage === 'pending' || stage === 'expired'
		    && order.state === 'pending';
		const is_dead = stage === 'closed' || stage === 'expired';
		document.body.className = stage;
		show('order', order !== null && stage !== 'nothing');
		show('left', stage === 'pending');
		show('go', stage === 'pending' && (is_wechat || is_phone));
		show('doubt', is_open);
		show('cancel', stage === 'pending');
		show('sure', false);
		show('again', is_dead && order.origin === 'product');
		show('back', Boolean(order && order.return_url)
		    && stage !== 'pending' && stage !== 'closing');
		if (is_dead)
			fill_again();
		if (order)
			fill_back();
		if (has_focus && document.activeElement.closest('[hidden]'))
			$('state').focus();
	}

	function show_left() {
		const left_s = Math.max(0, Math.ceil((ends_at - now()) / 1000));
		const two = (number) => `0${number}`.slice(-2);
		const hours = Math.floor(left_s / 3600);
		const minutes = Math.floor(left_s / 60) % 60;
		say('clock', (hours > 0 ? `${hours}:${two(minutes)}` : minutes)
		    + `:${two(left_s % 60)}`);
		return left_s;
	}

	// Who is hidden or in trouble looks again anyhow.
	function tick() {
		if (stage === 'pending' && show_left() === 0 && !is_looking
		    && !document.hidden && trouble_count === 0)
			look_now();
	}

	let code_url = null;
	let code_count = 0;

	// Another code under the same address is another picture.
	function show_code() {
		const is_shown = stage === 'pending' && Boolean(order.code_url)
		    && (!is_wechat && !is_phone || order.code_url === code_url);
		if (is_shown && (order.code_url !== code_url || !$('qr').src)) {
			const path = order_path(`/qr.svg?token=${me.token}`);
			code_url = order.code_url;
			$('qr').src = `${path}#${++code_count}`;
			$('qr').alt = `${words.qr_alt} ${yuan(order.total_fee)}`;
			$('qr_alone').href = path;
			say('scan_how', is_wechat ? words.scan_how_wechat
			    : is_phone ? words.scan_how_phone : words.scan_how);
		}
		show('scan', is_shown);
	}

	function fill_again() {
		if (!order)
			return;
		const form = $('again').elements;
		form.product_id.value = order.product_id || '';
		form.quantity.value = order.quantity || '';
		form.request_id.value = random_id();
		form.return_url.value = order.return_url || '';
		form.return_url.disabled = !order.return_url;
	}

	function fill_back() {
		if (/^https:\/\//.test(order.return_url || ''))
			$('back_link').href = order.return_url;
		$('back_link').textContent = words.back;
		$('back_link').className = stage === 'paid'
		    || order.origin !== 'product' ? 'main' : '';
	}

	// Back to the shop, if this tab has seen the order unpaid: who comes to
	// a paid order wants to see it, or his money.
	function leave() {
		if (!was_open)
			return;
		was_open = false;
		forget('seen');
		if (!order.return_url)
			return;
		note('leaving');
		setTimeout(() => go(order.return_url), LEAVE_MS);
	}

	// ---- having it paid

	let is_wanted = !is_phone;	// somebody waits for what he can pay with
	let is_touched = false;		// and has asked for it by hand
	let is_preparing = false;
	let prepare_at = 0;
	let prepare_count = 0;

	// Ask for what this browser pays with, unless the order shows it.
	async function prepare() {
		const is_shown = order && order.code_url
		    && !is_wechat && !is_phone;
		if (!is_wanted || is_shown || is_preparing || document.hidden
		    || stage !== 'pending' || now() < prepare_at)
			return;
		is_preparing = true;
		const answer = await ask('POST', 'pay', me);
		is_preparing = false;
		take(answer);
	}

	function prepare_later(word, ms) {
		note(word);
		prepare_at = now() + ms;
		setTimeout(prepare, ms);
	}

	// Only a touch asks again.
	function prepare_never(word) {
		is_wanted = false;
		note(word);
		say('pay', words.again_try);
		show('go', true);
	}

	function take(answer) {
		const { status, json } = answer;
		if (status === 201) {
			is_wanted = !is_wechat && !is_phone
			    && Boolean(json.code_url);
			prepare_count = 0;
			forget('authorized');
			note('');
			use(json);
		} else if (status === 202) {
			prepare_later('late', json.retry_after * 1000);
		} else if (json.code === 'PAYMENT_PENDING') {
			// what follows comes too late for the touch
			is_touched = false;
			prepare_later('charging', SLOW_MS);
		} else if (json.code === 'OPENID_NEEDED') {
			authorize(json.authorize_url);
		} else if (/^ORDER_/.test(json.code)) {
			look_now();
		} else if (json.code === 'BUSY' || is_trouble(answer)) {
			prepare_count++;
			prepare_later(status === 409 || status === 429 ? 'busy'
				: 'trouble',
			patience(prepare_count, answer.wait_ms));
		} else {
			prepare_never(json.code === 'TOO_MANY_ATTEMPTS' ? 'too_many'
				: status === 502 ? 'refused' : 'error');
		}
	}

	function use({ pay, h5_url, code_url: code }) {
		if (pay)
			invoke(pay);
		else if (h5_url && is_touched)
			open_h5(h5_url);
		else if (code)
			scan(code);
		else
			show('go', true);
	}

	// Once by itself, then by a touch: no circle of redirects.
	function authorize(url) {
		const is_first = kept('authorized') !== me.order_no;

		keep('authorized', me.order_no);
		if (url && (is_touched || is_first
		    && kept('authorized') !== null))
			go(url);
		else
			prepare_never('no_openid');
	}

	function scan(code) {
		code_url = code;
		order.code_url = code;
		$('qr').removeAttribute('src');
		show_code();
		show('go', is_wechat || is_phone);
	}

	// [v3.md 9] WeChat brings the shopper back to redirect_url, and says
	// nothing.  Its page gets no fragment: this tab keeps it.
	function open_h5(url) {
		keep('cashier', fragment());
		go(`${url}&redirect_url=`
		    + encodeURIComponent(location.origin + location.pathname));
	}

	function bridge(pay) {
		window.WeixinJSBridge.invoke('getBrandWCPayRequest', pay,
			(said) => told(String(said.err_msg).split(':')[1]));
	}

	function invoke(pay) {
		let is_done = false;
		const once = (act) => () => {
			if (!is_done) {
				is_done = true;
				act(pay);
			}
		};
		if (window.WeixinJSBridge) {
			bridge(pay);
			return;
		}
		document.addEventListener('WeixinJSBridgeReady', once(bridge));
		setTimeout(once(choose), BRIDGE_MS);
	}

	// The JS-SDK, where there is no bridge.  wechat.js is a file of its own,
	// which may not have come: all else works without it.
	async function choose(pay) {
		let wx;
		try {
			wx = await wechat.ready(['chooseWXPay']);
		} catch (error) {
			told('fail');
			return;
		}
		wx.chooseWXPay({ timestamp: pay.timeStamp,
			nonceStr: pay.nonceStr, package: pay.package,
			signType: pay.signType, paySign: pay.paySign,
			success: () => told('ok'), cancel: () => told('cancel'),
			fail: () => told('fail') });
	}

	// What WeChat's window says is a hint: "ok" makes us ask.
	function told(result) {
		if (result === 'ok')
			check();
		else
			note(result === 'cancel' ? 'aborted' : 'failed');
	}

	async function check() {
		if (is_busy('check'))
			return;
		set_busy('check', true);
		setTimeout(() => {
			set_busy('check', false);
			if ($('note').textContent === words.asking)
				note('not_yet');
		}, CHECK_MS);
		note('asking');
		const answer = await ask('POST', order_path('/check'),
			{ token: me.token });
		if (is_trouble(answer))
			note('unsure');
		look_now();
	}

	// Each touch asks: the link that the order shows may have been ordered
	// from another address, where alone WeChat opens it.
	function pay_now() {
		note('');
		say('pay', words.pay);
		is_touched = true;
		is_wanted = true;
		prepare_at = 0;
		prepare();
	}

	// ---- giving it up

	function ask_sure(is_asked) {
		show('sure', is_asked);
		show('doubt', !is_asked);
		$(is_asked ? 'sure_no' : 'cancel').focus();
	}

	async function cancel() {
		if (is_busy('sure_yes'))
			return;
		set_busy('sure_yes', true);
		const answer = await ask('POST', order_path('/close'),
			{ token: me.token });
		set_busy('sure_yes', false);
		if (is_trouble(answer)) {
			note('unsure');
			return;
		}
		show_stage();
		$('state').focus();
		look_now();
	}

	// ---- refunds

	// What a refund that failed still holds, the server knows and says when
	// it is asked for too much.
	function refund_left() {
		return order.refunds.reduce((left, { state, refund_fee }) =>
			state === 'rejected' || state === 'failed'
				? left : left - refund_fee, order.total_fee);
	}

	let refunds_shown = '';

	function show_refunds() {
		const left = refund_left();
		const lines = order.refunds.map(({ refund_fee, state }) =>
			`${yuan(refund_fee)} ${words[`refund_${state}`]}`);
		if (lines.join() !== refunds_shown)
			list_refunds(lines);
		show('refunds', stage === 'paid' && lines.length > 0);
		show('refund', stage === 'paid' && left > 0);
		say('refund_left', `${words.refund_left} ${yuan(left)}`);
		if (!$('refund').open)
			$('refund_fee').value = yuan(left).slice(1);
	}

	function list_refunds(lines) {
		refunds_shown = lines.join();
		$('refund_list').textContent = '';
		for (const line of lines)
			$('refund_list').appendChild(
				document.createElement('li')).textContent = line;
	}

	// The same request has the same id, however often it is sent.
	async function refund(event) {
		event.preventDefault();
		if (is_busy('refund_ask'))
			return;
		const name = `refund ${me.order_no}`;
		const refund_fee = fen_of($('refund_fee').value);
		const is_wrong = refund_fee < 1 || refund_fee > order.total_fee;
		$('refund_fee').setAttribute('aria-invalid', is_wrong);
		if (is_wrong) {
			refuse_refund(refund_left());
			return;
		}
		const request_id = kept(name) || random_id();
		keep(name, request_id);
		say('refund_note', '');
		set_busy('refund_ask', true);
		const answer = await ask('POST', 'refund', { order_no: me.order_no,
			token: me.token, refund_fee, request_id,
			reason: $('reason').value.trim() });
		set_busy('refund_ask', false);
		take_refund(answer, name);
	}

	function refuse_refund(left) {
		say('refund_note', `${words.refund_wrong} ${yuan(left)}`);
		$('refund_fee').focus();
	}

	function take_refund(answer, name) {
		const { status, json } = answer;
		if (status === 201 || json.code === 'CONFLICT') {
			forget(name);
			$('reason').value = '';
			$('refund').open = false;
			$('state').focus();
			note(status === 201 ? 'refund_asked' : 'refund_known');
			look_now();
		} else if (json.code === 'NOT_ENOUGH_LEFT') {
			refuse_refund(json.left_fee);
		} else {
			say('refund_note', words[{
				TRADE_OVERDUE: 'refund_overdue',
				TOO_MANY_REFUNDS: 'refund_many' }[json.code]
			    || (is_trouble(answer) ? 'refund_unsure' : 'error')]);
		}
	}

	// ---- from here on

	function start() {
		translate();
		window.addEventListener('hashchange', () => location.reload());
		if (!me) {
			show_nothing();
			return;
		}
		history.replaceState(null, '', `#${fragment()}`);
		$('pay').addEventListener('click', pay_now);
		$('check').addEventListener('click', check);
		$('cancel').addEventListener('click', () => ask_sure(true));
		$('sure_no').addEventListener('click', () => ask_sure(false));
		$('sure_yes').addEventListener('click', cancel);
		$('refund_form').addEventListener('submit', refund);
		document.addEventListener('visibilitychange', () => {
			clearTimeout(timer);
			if (!document.hidden)
				look_now();
		});
		window.addEventListener('pageshow', (event) => {
			if (event.persisted) {
				fill_again();
				look_now();
			}
		});
		setInterval(tick, 1000);
		look();
	}

	start();
}());
