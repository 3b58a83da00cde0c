# rule: assertLogs and assertNoLogs see the root and named loggers, and give back their handlers
import logging
import os
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    def test_root(self):
        with self.assertLogs() as logs:
            logging.getLogger("some.where").warning("seen")
            logging.getLogger().debug("below the level")
        ev(logs.output)

    def test_named(self):
        logger = logging.getLogger("named")
        before = logger.handlers[:], logger.propagate, logger.level
        with self.assertLogs("named", level="DEBUG") as logs:
            logger.debug("detail %d", 1)
        ev(logs.output)
        self.assertEqual((logger.handlers, logger.propagate, logger.level), before)

    def test_none(self):
        with self.assertNoLogs("quiet"):
            ev("quiet")
        with self.assertRaises(AssertionError):
            with self.assertNoLogs("quiet", level="INFO"):
                logging.getLogger("quiet").info("not quiet")

    def test_missing(self):
        with self.assertLogs("named"):
            ev("logs nothing")
