"""Products, whose variants are items, and the tree of categories that they lie in."""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import func, select, update

from erp_core.gate.contract import Command, Done, NotFound, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import AlreadyExists, Creation, existing, renamed, unknown
from erp_core.master.commands.variants import MOST_AXES, Axis
from erp_core.master.model import categories, items, products
from erp_core.master.queries.products import category_parents
from erp_core.master.rules.products import require_no_cycle
from erp_core.master.values import Code, Name
from erp_core.storage.bulk import update_rows, upsert_replace
from erp_core.storage.locks import lock_names

CategoryName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class CreateProduct(Command):
    """A product, also called a style, and the axes in which its variants differ, such as colour and size, in order.

    The axes are fixed. Its variants are items (`CreateItem`, `SetItemVariant`) of its category.
    """

    product_id: UUID
    code: Code
    product_name: Name
    category: CategoryName
    axes: Annotated[tuple[Axis, ...], Field(min_length=1, max_length=MOST_AXES)]

    @model_validator(mode="after")
    def _each_axis_once(self) -> Self:
        if len({axis.casefold() for axis in self.axes}) < len(self.axes):
            raise ValueError("axes: one stands twice; name it once")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The product."""
        return ("product", self.product_id)


class ChangeProduct(Command):
    """Correct the name or category of a product; what is left out stays. Its variants take the category too."""

    product_id: UUID
    product_name: Name | None = None
    category: CategoryName | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The product."""
        return ("product", self.product_id)


class SetCategory(Command):
    """Where a category lies: within `parent`, or at the top without one. Items carry their category by name."""

    category: CategoryName
    parent: CategoryName | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The category."""
        return ("category", uuid5(NAMESPACE_URL, f"quartermaster:category:{self.category}"))


def _new_product(task: Task[CreateProduct]) -> dict[str, Any]:
    fields = renamed(task.command.model_dump(exclude={"occurred_at"}), product_id="id", product_name="name")
    return fields | {"axes": list(task.command.axes)}


create_products = Creation(products, "code", _new_product)


def change_product(task: Task[ChangeProduct], tx: Transaction) -> Done:
    """Write the given fields, and the category to its variants."""
    command = task.command
    lock_names(tx.connection, [f"variants of {command.product_id}"])
    row = existing(tx, products, [command.product_id]).get(command.product_id)
    if row is None:
        raise unknown("product", command.product_id)
    given = command.model_dump(include={"product_name", "category"}, exclude_none=True)
    given = renamed(given, product_name="name")
    if given:
        update_rows(tx.connection, products, [{"id": command.product_id, **given}])
    if "category" in given:
        own = update(items).where(items.c.product_id == command.product_id)
        tx.connection.execute(own.values(category=given["category"]))
    return Done(
        {"product_id": str(command.product_id)}, before={name: row[name] for name in given}, after=given
    )


def set_category(task: Task[SetCategory], tx: Transaction) -> Done:
    """Write where the category lies. Raises `AlreadyExists`, `NotFound` or `CategoryCycle`."""
    command, table = task.command, categories
    lock_names(tx.connection, ["categories"])
    parents = category_parents(tx.connection)
    same = func.lower(table.c.name) == command.category.lower()
    alike = tx.connection.scalar(select(table.c.name).where(same, table.c.name != command.category))
    if alike is not None:
        raise AlreadyExists(
            f"category {alike} is there already", field="category", remedy=f"write {alike}", code=alike
        )
    if command.parent is not None:
        if command.parent not in parents:
            raise NotFound(
                f"there is no category {command.parent}",
                field="parent",
                remedy="set that category first, or correct the name",
            )
        require_no_cycle(command.category, command.parent, parents)
    row = {"name": command.category, "parent": command.parent, "audit_id": task.audit_id}
    upsert_replace(tx.connection, table, [row], ["parent", "audit_id"])
    before = {"parent": parents[command.category]} if command.category in parents else None
    return Done({"category": command.category}, before=before, after={"parent": command.parent})


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(CreateProduct, create_products))
    registry.register(Registration(ChangeProduct, each(change_product)))
    registry.register(Registration(SetCategory, each(set_category)))
