// devices: what a shopper holds in his hands, as chromium plays it.
export const DESKTOP = { viewport: { width: 1280, height: 800 },
	userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) '
	    + 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 '
	    + 'Safari/537.36' };
export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true,
	hasTouch: true, deviceScaleFactor: 2,
	userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) '
	    + 'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 '
	    + 'Mobile/15E148 Safari/604.1' };
export const WECHAT = { ...PHONE,
	userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) '
	    + 'AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 '
	    + 'MicroMessenger/8.0.48(0x18003030) NetType/WIFI Language/zh_CN' };
