"""Counts tests, and looks after each whether the server still lives."""

import os
import signal
import sys
import traceback

from risa import Closed, Failure, until

# Longer, and the figures of a release: make regress LONG=1.
LONG = os.environ.get('LONG', '') not in ('', '0')
LIMIT = 4 * 3600 if LONG else 480       # seconds for all tests of one script


def check(cond, what):
    if not cond:
        raise Failure(what)


def equal(got, want, what=''):
    if got != want:
        raise Failure('%s: got %r, want %r' % (what, got, want))


def within(value, low, high, what=''):
    if not low <= value <= high:
        raise Failure('%s: %r is not in %r..%r' % (what, value, low, high))


class Suite:
    """The tests of a script, on one daemon or, with None, on their own."""

    def __init__(self, daemon=None):
        self.daemon = daemon
        self.only = sys.argv[1:]
        self.passed = self.failed = 0
        signal.signal(signal.SIGALRM, self._too_long)
        signal.signal(signal.SIGTERM, self._too_long)
        signal.alarm(LIMIT)
        self.pids = daemon.pids() if daemon is not None else {}

    def _too_long(self, *what):
        print('FAIL the script takes longer than %d s' % LIMIT)
        traceback.print_stack(file=sys.stdout)
        print('%d passed, %d failed' % (self.passed, self.failed + 1))
        sys.stdout.flush()
        os._exit(1) if self.daemon is None else sys.exit(1)

    def run_test(self, fn, *args, restarts=False):
        """One test; its name is its first line of documentation.

        Afterwards all processes are those of before, unless the test ends
        some on purpose (restarts)."""
        name = (fn.__doc__ or fn.__name__).strip().split('\n')[0]
        if self.only and not any(w in name or w == fn.__name__
                                 for w in self.only):
            return
        seen = 0 if self.daemon is None else len(self.daemon.log())
        why = None
        try:
            fn(*args)
        except (Failure, Closed) as e:
            line = traceback.extract_tb(e.__traceback__)[1]
            why = 'line %d: %s' % (line.lineno, e or type(e).__name__)
        except Exception:
            why = traceback.format_exc()
        dead = self._lives(restarts)
        if why is None and dead is None:
            self.passed += 1
            return
        self.failed += 1
        print('FAIL %s: %s' % (name, why or dead))
        if why and dead:
            print('     and: %s' % dead)
        if self.daemon is not None:
            for line in self.daemon.log()[seen:].splitlines()[-12:]:
                print('     | ' + line)
        sys.stdout.flush()

    def _lives(self, restarts):
        """What is wrong with the server, or None."""
        if self.daemon is None:
            return None
        try:
            if self.daemon.proc is None:
                self.daemon.start()
                self.pids = self.daemon.pids()
                return None if restarts else 'the server was gone'
            if self.daemon.proc.poll() is not None:
                code = self.daemon.proc.returncode
                self.daemon.start()
                self.pids = self.daemon.pids()
                return None if restarts else 'the server ended: %d' % code
            until(self.daemon.healthy, 'the server answers')
            pids = self.daemon.pids()
        except Exception as e:
            return 'the server: %s' % e
        same = pids == self.pids
        before, self.pids = self.pids, pids
        if same or restarts:
            return None
        return 'processes died: %r' % [slot for slot in before
                                       if before[slot] != pids.get(slot)]

    def end(self):
        """Count, and end the daemon: it must do so cleanly."""
        signal.alarm(60)
        if self.daemon is not None and self.daemon.proc is not None:
            try:
                code = self.daemon.stop()
                check(code == 0, 'exit code %d' % code)
                check('AddressSanitizer' not in self.daemon.log() and
                      'runtime error:' not in self.daemon.log(),
                      'the sanitizer complains')
            except Failure as e:
                self.failed += 1
                print('FAIL end: %s' % e)
                for line in self.daemon.log().splitlines()[-12:]:
                    print('     | ' + line)
        print('%d passed, %d failed' % (self.passed, self.failed))
        sys.stdout.flush()
        sys.exit(1 if self.failed or not self.passed else 0)
