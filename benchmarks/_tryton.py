"""The same purchase order in Tryton; run by the interpreter of Tryton's own environment, never by ours.

`python _tryton.py URI DATABASE LINES TIMES` in a database that `trytond-admin` made, with the module `purchase`. Prints JSON: seconds
of each purchase from creation to done. Each step is a transaction, begun again with the locks it turns out to need, as
Tryton's own server does it; a warehouse of one step, no invoice.
"""

import json
import sys
import time
from datetime import date
from decimal import Decimal

WARM_UP = 2


def main(uri: str, name: str, lines: int, times: int) -> list[float]:
    """Found a company, then buy and receive."""
    from trytond.config import config

    config.set("database", "uri", uri)
    from trytond.pool import Pool
    from trytond.transaction import Transaction, TransactionError

    Pool.start()
    pool = Pool(name)
    with Transaction().start(name, 0):
        pool.init()

    def step(work, **context):
        extras = {}
        while True:
            with Transaction().start(name, 1, context=context, **extras) as transaction:
                try:
                    done = work()
                    transaction.commit()
                    return done
                except TransactionError as error:
                    transaction.rollback()
                    error.fix(extras)

    company = step(lambda: _found(pool, lines))
    taken = []
    for _ in range(WARM_UP + times):
        begun = time.perf_counter()
        _buy(pool, company, lines, lambda work: step(work, company=company, companies=[company]))
        taken.append(time.perf_counter() - begun)
    return taken[WARM_UP:]


def _found(pool, lines):
    from trytond.modules.account.tests import create_chart, get_fiscalyear
    from trytond.modules.company.tests import create_company, set_company

    company = create_company()
    with set_company(company):
        create_chart(company)
        year = get_fiscalyear(company)
        year.save()
        type(year).create_period([year])
        account = pool.get("account.account")
        (expense,) = account.search(
            [("type.expense", "=", True), ("closed", "!=", True), ("company", "=", company.id)], limit=1
        )
        (category,) = pool.get("product.category").create(
            [{"name": "Goods", "accounting": True, "account_expense": expense.id}]
        )
        (unit,) = pool.get("product.uom").search([("name", "=", "Unit")])
        pool.get("product.template").create(
            [
                {
                    "name": f"Item {number}",
                    "type": "goods",
                    "default_uom": unit.id,
                    "purchasable": True,
                    "purchase_uom": unit.id,
                    "account_category": category.id,
                    "products": [("create", [{"cost_price": Decimal("0.01")}])],
                }
                for number in range(lines)
            ]
        )
        pool.get("party.party").create([{"name": "Supplier", "addresses": [("create", [{}])]}])
        location = pool.get("stock.location")
        (warehouse,) = location.search([("type", "=", "warehouse")], limit=1)
        location.write([warehouse], {"input_location": warehouse.storage_location.id})
    return company.id


def _buy(pool, company, lines, step):
    order, coming = pool.get("purchase.purchase"), pool.get("stock.shipment.in")
    move = pool.get("stock.move")
    bought = step(lambda: _draft(pool, company, lines))
    step(lambda: order.quote([order(bought)]))
    step(lambda: order.confirm([order(bought)]))
    step(lambda: order.process([order(bought)]))
    shipped, moved = step(lambda: _shipment(pool, company, bought, lines))
    step(lambda: coming.receive([coming(shipped)]))
    step(lambda: coming.do([coming(shipped)]))
    assert step(lambda: {one.state for one in move.browse(moved)}) == {"done"}


def _draft(pool, company, lines):
    (supplier,) = pool.get("party.party").search([("name", "=", "Supplier")])
    line = pool.get("purchase.line")
    purchase = pool.get("purchase.purchase")(company=company, party=supplier)
    purchase.on_change_party()
    purchase.invoice_method = "manual"
    purchase.purchase_date = date.today()
    wanted = []
    for product in pool.get("product.product").search([], limit=lines):
        one = line(purchase=purchase, product=product, quantity=10)
        one.on_change_product()
        one.unit_price = Decimal("0.01")
        wanted.append(one)
    purchase.lines = wanted
    purchase.save()
    return purchase.id


def _shipment(pool, company, bought, lines):
    purchase = pool.get("purchase.purchase")(bought)
    coming, move = pool.get("stock.shipment.in"), pool.get("stock.move")
    shipment = coming(company=company, supplier=purchase.party, warehouse=purchase.warehouse)
    shipment.on_change_supplier()
    shipment.warehouse_input = purchase.warehouse.input_location
    shipment.warehouse_storage = purchase.warehouse.storage_location
    shipment.save()
    moves = [one for part in purchase.lines for one in part.moves]
    assert len(moves) == lines, len(moves)
    move.write(moves, {"shipment": str(shipment)})
    return shipment.id, [one.id for one in moves]


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
