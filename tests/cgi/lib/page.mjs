// page: the short pages of ours that a browser gets of a refusal.
import assert from 'node:assert/strict';

// What a browser shows of a refusal: { lang, text, link }, and no more.
export function page_of({ text, headers }) {
	assert.match(headers['content-type'], /^text\/html/);
	assert.doesNotMatch(text, /<(script|form|img|pre)|\son\w+=/);
	const [, lang] = text.match(/<html lang="([\w-]+)">/);
	const links = [...text.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)]
		.map(([, href, said]) => ({ href: href.replaceAll('&amp;', '&'),
			said }));
	assert.ok(links.length <= 1);
	// what is not ours to translate: codes, and the request's number
	const words = text.slice(text.indexOf('<title>'))
		.replace(/<p>[A-Z_]+ \w+<\/p>\n$/, '').replace(/<[^>]*>/g, '');
	if (lang === 'zh-CN')
		assert.doesNotMatch(words, /[A-Za-z]{3}/, words);
	else
		assert.doesNotMatch(words, /[^\x20-\x7e\n]/, words);
	return { lang, words, link: links[0] };
}
