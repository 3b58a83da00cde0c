# rule: tests may start threads, and a database made by setUpClass belongs to the tests' thread
import os
import sqlite3
import threading
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.db = sqlite3.connect(":memory:")
        cls.addClassCleanup(cls.db.close)
        cls.db.execute("create table t (n)")
        ev(threading.current_thread() is threading.main_thread())

    def test_db(self):
        self.db.execute("insert into t values (1)")
        ev(self.db.execute("select n from t").fetchall())

    def test_thread(self):
        results = []
        thread = threading.Thread(target=results.append, args=(1,))
        thread.start()
        thread.join()
        ev(results)
