/*
 * What risad is measured against: an office on Node with the ws package, as
 * far as the load can tell.  It keeps people in floors, joins what happens on
 * one for 50 ms, and sends that in one message to each; no accounts, no
 * walls, nothing stored.  Frames are risad's own, 12 bytes an update.
 *
 *	node peer_ws.mjs PORT CERTIFICATE KEY
 *
 * Ends with its standard input, or after ten minutes.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { WebSocketServer } from 'ws';

const TICK = 50;
const HEAD = 7;
const ENTRY = 12;
const MOST = 600000;			/* ms that it lives */

const floors = new Map();
const born = performance.now();

class Floor {
	people = new Set();
	moved = new Set();
	said = [];
	ids = 0;

	constructor(id) {
		this.id = id;
	}

	enter(p) {
		p.floor = this;
		p.id = this.ids++;
		p.x = 700 + 300 * (p.id % 8);
		p.y = 800 + 190 * (Math.trunc(p.id / 8) % 8);
		p.tx = p.x;
		p.ty = p.y;
		this.people.add(p);
		p.tell({ t: 'floor', id: this.id, you: p.id, people: [
		    { id: p.id, user: p.id + 1, x: p.x, y: p.y }] });
	}

	moves() {
		const b = Buffer.alloc(HEAD + ENTRY * this.moved.size);
		let at = HEAD;

		b.writeUInt8(2, 0);
		b.writeUInt32LE(Math.trunc(performance.now() - born), 1);
		b.writeUInt16LE(this.moved.size, 5);
		for (const p of this.moved) {
			b.writeUInt16LE(p.id, at);
			b.writeUInt16LE(p.x, at + 2);
			b.writeUInt16LE(p.y, at + 4);
			b.writeUInt16LE(p.tx, at + 6);
			b.writeUInt16LE(p.ty, at + 8);
			b.writeUInt8(p.heading, at + 10);
			at += ENTRY;
		}
		this.moved.clear();
		return (b);
	}

	tick() {
		if (this.moved.size > 0)
			this.all(this.moves(), true);
		if (this.said.length > 0) {
			this.all(Buffer.from(JSON.stringify(this.said)),
			    false);
			this.said = [];
		}
	}

	all(data, binary) {
		for (const p of this.people)
			p.ws.send(data, { binary });
	}
}

class Person {
	floor = null;
	id = -1;

	constructor(ws, host) {
		this.ws = ws;
		this.host = host;
		ws.on('message', (data, binary) => binary ? this.leg(data) :
		    this.text(JSON.parse(data.toString())));
		ws.on('close', () => this.leave());
		ws.on('error', () => ws.terminate());
		this.tell({ t: 'hello' });
	}

	tell(o) {
		this.ws.send(JSON.stringify(o));
	}

	leg(b) {
		if (this.floor === null || b.length !== 7)
			return;
		this.x = this.tx;
		this.y = this.ty;
		this.tx = b.readUInt16LE(1);
		this.ty = b.readUInt16LE(3);
		this.heading = b.readUInt8(5);
		this.floor.moved.add(this);
	}

	text(m) {
		if (m.t === 'enter')
			this.enter(m.floor);
		else if (m.t === 'say' && this.floor !== null) {
			this.floor.said.push({ t: 'msg', from: this.id,
			    text: m.text, at: Date.now() });
			this.tell({ t: 'ack', ref: m.ref });
		}
	}

	enter(id) {
		const key = `${this.host} ${id}`;

		if (!floors.has(key))
			floors.set(key, new Floor(id));
		this.leave();
		floors.get(key).enter(this);
	}

	leave() {
		this.floor?.people.delete(this);
		this.floor?.moved.delete(this);
		this.floor = null;
	}
}

const [port, cert, key] = process.argv.slice(2);
const server = createServer({ cert: readFileSync(cert),
    key: readFileSync(key) });
const wss = new WebSocketServer({ server, perMessageDeflate: false });

wss.on('connection', (ws, r) => new Person(ws, r.headers.host));
setInterval(() => {
	for (const f of floors.values())
		f.tick();
}, TICK);
setTimeout(() => process.exit(1), MOST).unref();
process.stdin.on('end', () => process.exit(0)).resume();
server.listen(Number(port), '127.0.0.1', 4096, () =>
    console.log('ready'));
