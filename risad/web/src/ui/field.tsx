import type { ComponentChildren, JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { ApiError } from '../api';
import { app, errorKey, fieldKey } from '../app';
import { Icon } from '../icon';
import { marked } from '../lib/text';
import { Plain } from './text';

interface Base {
	label: string;
	value: string;
	set(v: string): void;
	error?: string;
	hint?: string;
	testid?: string;
	autofocus?: boolean;
}

/* The attribute works in a document only while nothing has been focused. */
function focus(el: HTMLElement | null): void {
	el?.focus();
}

/* Label, control, hint and error tied together for every kind of reader. */
function Frame(p: { id: string; label: string; error?: string;
    hint?: string; children: ComponentChildren }): JSX.Element {
	return (
		<div class={`field${p.error ? ' bad' : ''}`}>
			<label for={p.id}>{p.label}</label>
			{p.children}
			{p.hint && !p.error &&
			    <p class="hint" id={`${p.id}-hint`}>{p.hint}</p>}
			{p.error &&
			    <p class="error" id={`${p.id}-error`} role="alert">
				<Icon name="alert" size={15} />
				<Plain text={p.error} /></p>}
		</div>
	);
}

/* The types of JSX want one literal; the attributes in use suit them all. */
function kind(type: string): { type: 'text' } {
	return ({ type: type as 'text' });
}

function described(id: string, p: { error?: string; hint?: string }) {
	return (p.error ? `${id}-error` : p.hint ? `${id}-hint` : undefined);
}

export function TextField(p: Base & { type?: 'text' | 'email' | 'search';
    autocomplete?: string; max?: number; placeholder?: string;
    readonly?: boolean }): JSX.Element {
	const id = useId();

	return (
		<Frame id={id} label={p.label} error={p.error} hint={p.hint}>
			<input id={id} value={p.value}
			    {...kind(p.type ?? 'text')}
			    class="input" data-testid={p.testid}
			    autocomplete={p.autocomplete ?? 'off'}
			    maxLength={p.max} placeholder={p.placeholder}
			    readOnly={p.readonly} autofocus={p.autofocus}
			    ref={p.autofocus ? focus : undefined}
			    autocapitalize="off" spellcheck={false}
			    aria-invalid={p.error ? true : undefined}
			    aria-describedby={described(id, p)}
			    onInput={(e) => p.set(e.currentTarget.value)} />
		</Frame>
	);
}

/* A day, or none, as the browser's own calendar gives it. */
export function DayField(p: Base & { min?: string; max?: string }):
    JSX.Element {
	const id = useId();

	return (
		<Frame id={id} label={p.label} error={p.error} hint={p.hint}>
			<input id={id} {...kind('date')} class="input"
			    value={p.value} min={p.min} max={p.max}
			    data-testid={p.testid}
			    aria-describedby={described(id, p)}
			    onInput={(e) => p.set(e.currentTarget.value)} />
		</Frame>
	);
}

/* Several lines. */
export function TextArea(p: Base & { rows?: number }): JSX.Element {
	const id = useId();

	return (
		<Frame id={id} label={p.label} error={p.error} hint={p.hint}>
			<textarea id={id} value={p.value} rows={p.rows ?? 3}
			    data-testid={p.testid} spellcheck={false}
			    autocapitalize="off"
			    aria-invalid={p.error ? true : undefined}
			    aria-describedby={described(id, p)}
			    onInput={(e) => p.set(e.currentTarget.value)} />
		</Frame>
	);
}

/* A password, hidden until asked for. */
export function PasswordField(p: Base & { fresh?: boolean }): JSX.Element {
	const id = useId();
	const [seen, setSeen] = useState(false);
	const [caps, setCaps] = useState(false);
	const key = (e: KeyboardEvent) => setCaps(
	    e.getModifierState?.('CapsLock') ?? false);

	return (
		<Frame id={id} label={p.label} error={p.error}
		    hint={caps ? app.t('signin.caps') : p.hint}>
			<div class="with-button">
				<input id={id} class="input"
				    {...kind(seen ? 'text' : 'password')}
				    value={p.value} data-testid={p.testid}
				    autocomplete={p.fresh ? 'new-password' :
				    'current-password'}
				    autocapitalize="off" spellcheck={false}
				    autofocus={p.autofocus}
				    ref={p.autofocus ? focus : undefined}
				    aria-invalid={p.error ? true : undefined}
				    aria-describedby={described(id, p)}
				    onKeyDown={key} onKeyUp={key}
				    onInput={(e) =>
				    p.set(e.currentTarget.value)} />
				<button type="button" class="icon-button"
				    aria-pressed={seen}
				    title={app.t(seen ? 'signin.hide' :
				    'signin.show')}
				    aria-label={app.t('signin.show')}
				    onClick={() => setSeen(!seen)}>
					<Icon name={seen ? 'eye-off' : 'eye'} />
				</button>
			</div>
		</Frame>
	);
}

/* Six digits that a phone shows, or with letters a recovery code. */
export function CodeField(p: Base & { letters?: boolean }): JSX.Element {
	const id = useId();

	return (
		<Frame id={id} label={p.label} error={p.error} hint={p.hint}>
			<input id={id} class="input code" {...kind('text')}
			    value={p.value} data-testid={p.testid}
			    inputMode={p.letters ? 'text' : 'numeric'}
			    autocomplete={p.letters ? 'off' : 'one-time-code'}
			    maxLength={p.letters ? 24 : 7}
			    autocapitalize="characters" spellcheck={false}
			    autofocus={p.autofocus}
			    ref={p.autofocus ? focus : undefined}
			    aria-invalid={p.error ? true : undefined}
			    aria-describedby={described(id, p)}
			    onInput={(e) => p.set(e.currentTarget.value)} />
		</Frame>
	);
}

/* NaN while there is no whole number in it. */
export function NumberField(p: Omit<Base, 'value' | 'set'> & { value: number;
    set(n: number): void; min: number; max: number }): JSX.Element {
	const id = useId();

	return (
		<Frame id={id} label={p.label} error={p.error} hint={p.hint}>
			<input id={id} class="input" {...kind('number')}
			    value={Number.isNaN(p.value) ? '' : p.value}
			    min={p.min} max={p.max} step={1}
			    inputMode="numeric" data-testid={p.testid}
			    aria-invalid={p.error ? true : undefined}
			    aria-describedby={described(id, p)}
			    onInput={(e) => {
				const v = e.currentTarget.value;
				p.set(/^\d+$/.test(v) ? Number(v) : NaN);
			    }} />
		</Frame>
	);
}

export function SelectField(p: { label: string; value: string;
    set(v: string): void; options: [string, string][]; testid?: string;
    hint?: string }): JSX.Element {
	const id = useId();

	return (
		<Frame id={id} label={p.label} hint={p.hint}>
			<Select id={id} value={p.value} set={p.set}
			    options={p.options} testid={p.testid}
			    described={described(id, p)} />
		</Frame>
	);
}

export function Select(p: { id?: string; label?: string; value: string;
    set(v: string): void; options: [string, string][]; testid?: string;
    disabled?: boolean; described?: string | undefined }): JSX.Element {
	return (
		<span class="select">
			<select id={p.id} value={p.value} aria-label={p.label}
			    aria-describedby={p.described}
			    data-testid={p.testid} disabled={p.disabled}
			    onChange={(e) => p.set(e.currentTarget.value)}>
				{p.options.map(([v, text]) =>
				    <option key={v} value={v}
					selected={v === p.value}>{marked(text)}
				    </option>)}
			</select>
			<Icon name="down" size={16} />
		</span>
	);
}

/* What went wrong with the whole form. */
export function FormError(p: { text: string; testid?: string }):
    JSX.Element | null {
	return (p.text === '' ? null :
	    <p class="notice bad" role="alert" data-testid={p.testid}>
		<Icon name="alert" /><Plain text={p.text} /></p>);
}

/*
 * The words for an error, none for null.  They are made when drawn, so that
 * they follow a change of the language.
 */
export function problem(e: unknown): string {
	if (e === null)
		return ('');
	const wait = e instanceof ApiError ? Math.max(1, e.wait) : 1;

	return (app.t(errorKey(e), { seconds: wait,
	    minutes: Math.ceil(wait / 60), address: e instanceof ApiError ?
	    e.value : '' }));
}

/* The same for one field that the server named, else nothing. */
export function atField(e: unknown, ...names: string[]): string {
	const key = fieldKey(e);

	return (e instanceof ApiError && key !== '' && names.includes(e.field)
	    ? app.t(key) : '');
}
