#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""live_top.py CXLCTL PID - top on a pseudo terminal: keys, sizes, signals

Speaks TAP. PID is a process that top has to show.
"""
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

cxlctl, pid = sys.argv[1], sys.argv[2]
checks = 0


def check(good, name, why=''):
    global checks
    checks += 1
    print('%s %d - %s' % ('ok' if good else 'not ok', checks, name))
    if not good:
        print('# ' + repr(why)[:2000])
    sys.stdout.flush()


class Top:
    def __init__(self, *args, rows=24, columns=80, job=False):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ,
                        struct.pack('HHHH', rows, columns, 0, 0))
            if job:
                self.be_job()
            os.execv(cxlctl, ['cxlctl', 'top', *args])
        self.modes = termios.tcgetattr(self.fd)
        self.text = ''
        self.ended = None

    # As a shell with job control starts it: only then can it be stopped.
    def be_job(self):
        child = os.fork()
        if child:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)

    # Until what was drawn since the last wait matches, or 20 s, or the end.
    def wait(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text, re.S):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return False
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b''
            if not data:
                return bool(re.search(pattern, self.text, re.S))
            self.text += data.decode()
        return True

    def forget(self):
        self.text = ''

    def key(self, key):
        self.forget()
        os.write(self.fd, key.encode())

    def status(self):
        self.wait('(?!)', 20)
        return os.waitpid(self.pid, 0)[1]

    def shown(self):
        return [line for line in re.sub(r'\x1b\[[?0-9]*[A-Za-z]', '',
                self.text).split('\r\n')]


FIRST = r'\x1b\[\?1049h.*q quit'
LEFT = r'\x1b\[\?25h\x1b\[\?1049l'

# A long pause: what is drawn after a key is drawn for the key.
top = Top('-d', '3600')
check(top.wait(FIRST), 'it takes the screen and draws', top.text)
check(re.search(r'\n *%s ' % pid, top.text), 'the process is shown', top.text)
check(all(len(line) <= 80 for line in top.shown()), 'no line wraps',
      top.text)
lflag = termios.tcgetattr(top.fd)[3]
check(not lflag & (termios.ICANON | termios.ECHO), 'keys come one by one')
for key, name in ('d', 'ddr'), ('c', 'cxl'), ('p', 'pid'), ('n', 'name'), \
        ('t', 'total'):
    top.key(key)
    check(top.wait('by %s.*q quit' % name), 'key %s sorts by %s' % (key, name),
          top.text)
top.key('r')
check(top.wait('by total, reversed.*q quit'), 'key r turns it round', top.text)
top.forget()
fcntl.ioctl(top.fd, termios.TIOCSWINSZ, struct.pack('HHHH', 6, 40, 0, 0))
check(top.wait('q quit|n name') and
      all(len(line) <= 40 for line in top.shown()) and
      len(top.shown()) <= 6, 'a smaller window is filled, not overrun',
      top.text)
top.key('q')
check(top.wait(LEFT), 'key q gives the screen back', top.text)
check(top.status() == 0, 'and is no failure')

for name, number, wanted in ('SIGTERM', signal.SIGTERM, signal.SIGTERM), \
        ('SIGHUP', signal.SIGHUP, signal.SIGHUP), \
        ('SIGINT', signal.SIGINT, 0):
    top = Top('-d', '3600')
    before = top.wait(FIRST)
    os.kill(top.pid, number)
    check(before and top.wait(LEFT), name + ' gives the screen back', top.text)
    after = termios.tcgetattr(top.fd)[3]
    check(after & termios.ICANON and after & termios.ECHO,
          name + ': lines and echo are back')
    status = top.status()
    check(status == wanted, name + ': the right end', status)

top = Top('-d', '3600', job=True)
before = top.wait(FIRST)
job = os.tcgetpgrp(top.fd)
os.kill(job, signal.SIGTSTP)
check(before and top.wait(LEFT), 'SIGTSTP gives the screen back', top.text)
for _ in range(2000):
    with open('/proc/%d/stat' % job) as stat:
        state = stat.read().rsplit(')', 1)[1].split()[0]
    if state == 'T':
        break
    time.sleep(.01)
check(state == 'T', 'and stops', state)
top.forget()
os.kill(job, signal.SIGCONT)
check(top.wait(FIRST), 'SIGCONT brings it back', top.text)
top.key('q')
check(top.status() == 0, 'and it goes on')

top = Top('-d', '0.2')
check(top.wait(FIRST), 'it starts', top.text)
top.forget()
check(top.wait('q quit.*q quit.*q quit'), 'it is drawn again by itself',
      top.text[-300:])
os.close(top.fd)
check(os.waitpid(top.pid, 0)[1] in (0, signal.SIGHUP, 256),
      'it ends when its terminal does')
print('1..%d' % checks)
