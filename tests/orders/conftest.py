from tests.shop_fixtures import fresh_shop, shared_engine, shared_shop, shop

__all__ = ["fresh_shop", "shared_engine", "shared_shop", "shop"]
