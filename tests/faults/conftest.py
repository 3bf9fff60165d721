from tests.shop_fixtures import fresh_shop as fresh_shop
from tests.shop_fixtures import shared_engine as shared_engine
from tests.shop_fixtures import shared_shop as shared_shop
from tests.shop_fixtures import shop as shop
