# rule: signal handlers and timers of a test's own work
import os
import signal
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_alarm(self):
        def handler(number, frame):
            raise TimeoutError("alarm")

        before = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with self.assertRaises(TimeoutError):
            while True:
                pass
        ev("alarm")

    def test_interrupt_handled(self):
        with self.assertRaises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        ev("interrupt handled")
