import { ArrowDown, ArrowLeft, Bell, BellRing, Building2, Check, ChevronDown, ChevronUp,
    CircleAlert, ClipboardCheck, Copy, DoorClosed, DoorOpen, Download,
    Ear, Ellipsis, Eye, EyeOff, Fingerprint, Footprints, Hand, KeyRound,
    Languages, LayoutGrid, LocateFixed, Lock, LogOut, Mail, Map as MapIcon,
    MapPin, Maximize2, Megaphone, MessageSquareText, MessagesSquare, Mic,
    MicOff, Minus, MonitorSmartphone, MonitorUp, PanelLeft, PanelRight,
    Pencil, Pin, Plus, Printer, RefreshCw, RotateCw, Router, ScrollText,
    Search, SendHorizontal, Shield, Shuffle, TextSearch, Trash2, Upload, User,
    UserCog, UserPlus, Users, UsersRound, Video, VideoOff, Volume2, VolumeX,
    Wifi, WifiOff, X,
    type IconNode } from 'lucide';
import { h, type JSX } from 'preact';

const icons = {
	alert: CircleAlert, aside: MessagesSquare, back: ArrowLeft,
	bell: Bell, call: BellRing, cam: Video, centre: LocateFixed,
	chat: MessageSquareText, check: Check, close: X, closed: DoorClosed,
	copy: Copy, devices: MonitorSmartphone, door: DoorOpen,
	down: ChevronDown, edit: Pencil,
	export: Download, eye: Eye, 'eye-off': EyeOff, floor: Building2,
	group: UsersRound, hand: Hand,
	import: Upload, invite: UserPlus, key: KeyRound, lang: Languages, left: PanelLeft,
	lock: Lock, mail: Mail, mic: Mic, minus: Minus, more: Ellipsis,
	network: Wifi, newest: ArrowDown, offline: WifiOff, out: LogOut,
	passkey: Fingerprint, people: Users,
	picture: MapIcon, pin: MapPin, plus: Plus, random: Shuffle,
	print: Printer, records: ScrollText, relay: Router,
	reload: RefreshCw, resend: RotateCw,
	review: ClipboardCheck, right: PanelRight, role: UserCog,
	search: Search, send: SendHorizontal, shield: Shield,
	text: TextSearch, trash: Trash2, up: ChevronUp, user: User,
	walk: Footprints,
	'mic-off': MicOff, 'cam-off': VideoOff,
	screen: MonitorUp, ear: Ear, grid: LayoutGrid, full: Maximize2,
	hold: Pin, word: Megaphone, volume: Volume2,
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
