"""A notebook whose cells show every form of a result; golden files and browser tests use it."""

from __future__ import annotations

CELLS = {
    "load": "%load_ext nbxunit\n%xunit_config raise_on_failure=off",
    "functions": """\
def balance(account):
    return sum(account)


def withdraw(account, amount, fee=0):
    print(f"withdraw {amount} fee {fee}")
    account.append(-amount - fee)""",
    "module-setup": '%%xunit_setup module\nbank = {"open": True}',
    "method-setup": "%%xunit_setup method TestAccount\naccount = [100]",
    "class-setup": """\
%%xunit_setup class TestRemote
import errno
raise ConnectionError(errno.ECONNREFUSED, "Connection refused")""",
    "module-teardown": "%%xunit_teardown module\nbank.clear()",
    "pass": '%%xunit_test test_connects\nassert bank["open"]',
    "pass-method": """\
%%xunit_test TestAccount::test_deposit
account.append(50)
assert balance(account) == 150""",
    "fail": """\
%%xunit_test TestAccount::test_withdraw
print("opening account")
withdraw(account, 20, fee=10)
assert balance(account) == 80""",
    "error": "%%xunit_test TestRemote::test_get\nassert True",
    "error-too": "%%xunit_test TestRemote::test_put\nassert True",
    "teardown-error": """\
%%xunit_test test_leftovers(request)
request.addfinalizer(lambda: 1 / 0)""",
    "parameters": """\
%%xunit_test test_rates --mark "parametrize('rate', ['eur', 'usd', '<script>alert(1)</script>'])"
assert rate""",
    "skip": """\
%%xunit_test test_windows --mark "skip(reason='needs <b>Windows</b> & $5, $6')"
assert False""",
    "xfail": "%%xunit_test test_money --mark xfail\nassert 0.1 + 0.2 == 0.3",
    "display": """\
%%xunit_test test_chart
from IPython.display import HTML, display
display(HTML("<table><tr><td>revenue</td><td>42</td></tr></table>"))""",
    "function": "def test_function():\n    import warnings\n    warnings.warn('old & <i>slow</i>')",
    "run": "%xunit_run",
    "list": "%xunit_list",
    "none": "%xunit_run -k nothing_is_called_so",
    "broken-hook": "%%xunit_setup class TestNowhere\npass",
    "broken": "%xunit_run",
    "reset": "%xunit_reset",
    "data": """\
import numpy as np
import pandas as pd

orders = pd.DataFrame({"order_id": [1, 2, 3], "customer": ["Ada", "Bob", None], "amount": [9.5, None, 3.0]})
tidy = orders.assign(customer=["Ada", "Bo", None], amount=[9.5, 0.0, 3.0])
grid = np.arange(12).reshape(3, 4)""",
    "frame-words": "%%xunit_test test_missing\nassert orders.amount.isna().sum() == 0",
    "frame-table": "%%xunit_test test_tidy\nassert orders.equals(tidy)",
    "frame-columns": "%%xunit_test test_columns\nassert orders == tidy[['amount', 'order_id']]",
    "array-table": """\
%%xunit_test test_grid
expected = grid + (grid > 9)
assert np.array_equal(grid, expected)""",
}
"""The cells by their ids, in order. A failed run does not end the notebook."""
