// wechat: WeChat's JS-SDK, for a page that is open inside WeChat.  Knows where
// it is loaded from, and that our server signs the page's address for it.
// Asks and loads nothing before a page wants it.  ES2018, for old phones'
// WebViews.
'use strict';

const wechat = (function () {
	const JSSDK = 'https://res.wx.qq.com/open/js/jweixin-1.6.0.js';

	// [platform.md 5.2] What is signed has no fragment.
	async function signed() {
		const url = location.href.split('#')[0];
		const answer = await fetch(
			`pay/jsconfig?url=${encodeURIComponent(url)}`);
		if (!answer.ok)
			throw new Error('no jsconfig');
		return answer.json();
	}

	function load(url) {
		return new Promise((resolve, reject) => {
			const script = document.createElement('script');
			script.onload = resolve;
			script.onerror = reject;
			script.src = url;
			document.head.appendChild(script);
		});
	}

	// The SDK once WeChat lets this page call these of it; else rejected.
	async function ready(jsApiList) {
		const config = await signed();
		if (!window.wx)
			await load(JSSDK);
		await new Promise((resolve, reject) => {
			window.wx.ready(resolve);
			window.wx.error(reject);
			window.wx.config({ debug: false, appId: config.appId,
				timestamp: config.timestamp,
				nonceStr: config.nonceStr,
				signature: config.signature, jsApiList });
		});
		return window.wx;
	}

	return { ready };
}());
