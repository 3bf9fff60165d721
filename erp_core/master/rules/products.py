"""Rules of products and their variants, and of categories within categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from erp_core.gate.contract import DomainError


class UnknownAxis(DomainError):
    """A value on an axis that the product has not."""

    code = "unknown_axis"


class VariantIncomplete(DomainError):
    """A variant has no value on an axis of its product; `details` names the axes."""

    code = "variant_incomplete"


class VariantTaken(DomainError):
    """Another item of the product has the same values."""

    code = "variant_taken"


class CategoryOfProduct(DomainError):
    """An item is of its product's category, so that figures of products add up to those of categories."""

    code = "category_of_product"


class CategoryCycle(DomainError):
    """A category would lie within itself."""

    code = "category_cycle"


def variant_of(product: str, axes: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """The values by the product's own axes, in their order; axes are known whatever their case.

    Raises `UnknownAxis`, also where an axis is given twice.
    """
    own = {axis.casefold(): axis for axis in axes}
    values: dict[str, str] = {}
    for name, value in given.items():
        axis = own.get(name.strip().casefold())
        if axis is None or axis in values:
            why = "has no axis" if axis is None else "has one axis"
            raise UnknownAxis(
                f"{product} {why} {name}", field="variant", remedy=f"give one value on {', '.join(axes)} each"
            )
        values[axis] = value
    return {axis: values[axis] for axis in axes if axis in values}


def missing_axes(axes: Sequence[str], values: Mapping[str, str] | None) -> list[str]:
    """The axes on which there is no value, in order."""
    return [axis for axis in axes if axis not in (values or {})]


def require_every_axis(subject: str, axes: Sequence[str], values: Mapping[str, str] | None) -> None:
    """Raise `VariantIncomplete` that names every axis without a value."""
    missing = missing_axes(axes, values)
    if missing:
        raise VariantIncomplete(
            f"{subject} has no {', '.join(missing)}",
            field="variant",
            remedy=f"give its {', '.join(missing)}",
            missing=missing,
        )


def variant_key(axes: Sequence[str], values: Mapping[str, str]) -> str | None:
    """What is the same for the same values, whatever their case and blanks, a line for each; None while one is missing."""
    if missing_axes(axes, values):
        return None
    return "\n".join(" ".join(values[axis].casefold().split()) for axis in axes)


def path_of(category: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """The categories from the top down to this one. One without a parent is its own path."""
    path = [category]
    while (parent := parents.get(path[0])) is not None:
        path.insert(0, parent)
    return tuple(path)


def require_no_cycle(category: str, parent: str, parents: Mapping[str, str | None]) -> None:
    """Raise `CategoryCycle` where the parent is the category or lies within it."""
    path = path_of(parent, parents)
    if category in path:
        raise CategoryCycle(
            f"{parent} lies within {category}: {' / '.join(path)}",
            field="parent",
            remedy="name a category outside of it, or move that one out first",
        )
