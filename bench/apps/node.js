// SPDX-License-Identifier: BSD-2-Clause
//
// What bench/apps/node runs: node.js ROUNDS RECORDS
//
// Objects, JSON, Buffers (which are malloc's) and Maps that live as long as a
// round. Prints one line a round, which is the same for every allocator.
'use strict';
const crypto = require('crypto');
const zlib = require('zlib');

function record(i) {
	return {
		id: i,
		name: 'name-' + (i * 40503 % 65537).toString(16),
		tags: Array.from({ length: i % 7 }, (_, k) => 't' + i * k % 97),
		size: i * 7919 % 10007 / 8,
		note: (i + ' ').repeat(i % 30),
	};
}

function oneRound(n) {
	const hash = crypto.createHash('sha1');
	const table = new Map();
	for (let i = 0; i < n; i++) {
		const r = record(i);
		table.set(r.name + i, r);
	}
	const text = JSON.stringify([...table.values()]);
	const back = JSON.parse(text);
	back.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : b.id - a.id));
	hash.update(JSON.stringify(back.slice(0, 99)));

	// Buffers of 4 KiB to 64 KiB, every second one zeroed, of which the last
	// 300 are kept.
	const kept = [];
	for (let i = 0; i < n / 4; i++) {
		const length = 4096 + i * 7919 % 61440;
		const b = i % 2 ? Buffer.alloc(length) : Buffer.alloc(length, i & 255);
		b.write(back[i].note, i % 100);
		const old = kept[i % 300];
		if (old)
			hash.update(old.subarray(0, 200)).update(old.subarray(-100));
		kept[i % 300] = b;
	}
	hash.update(Buffer.concat(kept.slice(0, 50)));
	for (let i = 0; i < 4; i++) {
		const packed = zlib.deflateSync(text.slice(i * 99999, i * 99999 + 200000), { level: 1 });
		hash.update(zlib.inflateSync(packed));
	}
	const words = new Map();
	for (const r of back)
		for (const w of r.note.split(' '))
			words.set(w, (words.get(w) || 0) + r.tags.length);
	hash.update(String([...words].slice(0, 200)));
	for (const [name, r] of table)
		if (r.id % 2)
			table.delete(name);
	return hash.update(String(table.size)).digest('hex');
}

for (let k = 0; k < +process.argv[2]; k++)
	console.log(oneRound(+process.argv[3]));
