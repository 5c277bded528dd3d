// shop: inside WeChat, what a link to this page looks like that is passed on.
// Elsewhere it does nothing, and the forms need none of it.
'use strict';

// [platform.md 6] The link is on the host of the page, and the picture is
// named in full.
async function share() {
	const page = location.origin + location.pathname;
	const { title } = document;
	const imgUrl = new URL('shop.png', page).href;
	const wx = await wechat.ready(['updateAppMessageShareData',
		'updateTimelineShareData']);
	wx.updateAppMessageShareData({ title, link: page, imgUrl,
		desc: document.querySelector('meta[name=description]')
			.content });
	wx.updateTimelineShareData({ title, link: page, imgUrl });
}

// Without it a link is passed on as a bare one.
if (/MicroMessenger/i.test(navigator.userAgent))
	share().catch(() => {});
