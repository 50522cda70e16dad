import { ArrowDown, ArrowLeft, Building2, Check, ChevronDown, ChevronUp,
    CircleAlert, ClipboardCheck, Copy, DoorClosed, DoorOpen, Download,
    Ellipsis, Eye, EyeOff, Fingerprint, Footprints, KeyRound, Languages,
    LocateFixed, Lock, LogOut, Mail, Map as MapIcon, MapPin, Pin,
    MessageSquareText, Minus, MonitorSmartphone, PanelLeft, PanelRight,
    Pencil, Plus, Printer, RefreshCw, RotateCw, ScrollText, Search,
    SendHorizontal, Shield, Ear, Hand, LayoutGrid, Maximize2, Megaphone,
    Mic, MicOff, MonitorUp, Video, VideoOff, Volume2, VolumeX,
    Shuffle, TextSearch, Trash2, Upload, User, UserCog, UserPlus, Users,
    UsersRound, WifiOff, X,
    type IconNode } from 'lucide';
import { h, type JSX } from 'preact';

const icons = {
	alert: CircleAlert, back: ArrowLeft, centre: LocateFixed,
	chat: MessageSquareText, check: Check, close: X, closed: DoorClosed,
	copy: Copy, devices: MonitorSmartphone, door: DoorOpen,
	down: ChevronDown, edit: Pencil,
	export: Download, eye: Eye, 'eye-off': EyeOff, floor: Building2,
	group: UsersRound,
	import: Upload, invite: UserPlus, key: KeyRound, lang: Languages, left: PanelLeft,
	lock: Lock, mail: Mail, minus: Minus, more: Ellipsis,
	newest: ArrowDown, offline: WifiOff, out: LogOut,
	passkey: Fingerprint, people: Users,
	picture: MapIcon, pin: MapPin, plus: Plus, random: Shuffle,
	print: Printer, records: ScrollText, reload: RefreshCw, resend: RotateCw,
	review: ClipboardCheck, right: PanelRight, role: UserCog,
	search: Search, send: SendHorizontal, shield: Shield,
	text: TextSearch, trash: Trash2, up: ChevronUp, user: User,
	walk: Footprints,
	mic: Mic, 'mic-off': MicOff, cam: Video, 'cam-off': VideoOff,
	screen: MonitorUp, ear: Ear, grid: LayoutGrid, full: Maximize2,
	hand: Hand, hold: Pin, word: Megaphone, volume: Volume2,
	'volume-off': VolumeX,
} satisfies Record<string, IconNode>;

export type IconName = keyof typeof icons;

/* An icon beside words or in a button that has a name: not read aloud. */
export function Icon(p: { name: IconName; size?: number }): JSX.Element {
	return (
		<svg class="icon" width={p.size ?? 18} height={p.size ?? 18}
		    viewBox="0 0 24 24" fill="none" stroke="currentColor"
		    stroke-width="1.9" stroke-linecap="round"
		    stroke-linejoin="round" aria-hidden="true">
			{icons[p.name].map(([tag, attrs]) => h(tag, attrs))}
		</svg>
	);
}
