"""What can go wrong with an order, as kinds of case with their fixes."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from exceptions import jobs, roots
from exceptions.kinds import Kind
from integration_hub.models.access import User

from . import actions, services
from .aftersales import actions as aftersales
from .models import ADDRESS_FIELDS, Order, OrderAddress


def one(pk: int, by: User | None) -> Order:
    """Judge one order again."""
    return services.reconsider(pk, by=by)


KINDS = (
    Kind(
        code="unknown_product",
        title=_("Product %(sku)s is unknown"),
        explanation=_(
            "Orders name a product that the hub cannot match. Before they go to the ERP it must be clear which product is meant."
        ),
        blocks=_("Writing these orders to the ERP"),
        role="operations",
        due=timedelta(hours=4),
        rerun=jobs.again,
        one=one,
        fixes=(actions.MAP_PRODUCT,),
        help=_(
            "Say once which product is meant: the hub remembers it for this shop, and every order that waits runs on at once. If the product is missing altogether, create it in the ERP; the hub takes it over and matches it by itself."
        ),
    ),
    Kind(
        code="address_incomplete",
        title=_("Address of order %(number)s is incomplete: %(fields)s"),
        explanation=_("The parcel would come back, and the invoice would lack what the law asks for."),
        blocks=_("Writing this order to the ERP"),
        role="operations",
        due=timedelta(hours=8),
        rerun=jobs.again,
        one=one,
        fixes=(actions.CORRECT_ADDRESS, actions.ACCEPT),
        help=_(
            "Ask the customer or look at earlier orders, then correct the address here. The correction holds until the shop states another address. Accept it as it is only where delivery works without the missing part."
        ),
        names={field.name: field.verbose_name for field in OrderAddress._meta.fields if field.name in ADDRESS_FIELDS},
    ),
    Kind(
        code="totals_disagree",
        title=_("Total of order %(number)s disagrees"),
        explanation=_(
            "The shop's total and its own lines do not add up to the same amount. Written like this, ERP and books would differ from what the customer pays."
        ),
        blocks=_("Writing this order to the ERP, invoice"),
        role="finance",
        due=timedelta(hours=8),
        rerun=jobs.again,
        one=one,
        fixes=(actions.ACCEPT,),
        help=_(
            "Compare the lines with the order in the shop: often an extension adds a fee or a discount and does not report it as a line. Correct it in the shop if you can; accept it with a reason if the customer really pays the stated total."
        ),
    ),
    Kind(
        code="tax_rate_unknown",
        root=roots.exactly,
        title=_("Tax rate of order %(number)s is unknown: %(rates)s"),
        explanation=_("No tax rate of the destination or of the home country fits what the shop states."),
        blocks=_("Writing this order to the ERP, invoice"),
        role="finance",
        due=timedelta(hours=8),
        rerun=jobs.again,
        one=one,
        fixes=(actions.ACCEPT,),
        help=_(
            "Compare the country of delivery with the tax class of the products in the shop. Correct it there if it is wrong; the hub takes the correction over by itself. Accept it with a reason if the rate is right."
        ),
    ),
    Kind(
        code="customer_unclear",
        title=_("Who placed order %(number)s?"),
        explanation=_("The shop's customer number and the e-mail point to two different customers."),
        blocks=_("Writing this order to the ERP"),
        role="operations",
        due=timedelta(hours=8),
        rerun=jobs.again,
        one=one,
        fixes=(actions.CHOOSE_CUSTOMER,),
        help=_("Both customers stay as they are; you only say whose order this is."),
    ),
    Kind(
        code="order_implausible",
        title=_("Order %(number)s cannot be right"),
        explanation=_(
            "An order without products, or with quantities or totals that cannot be, is not written anywhere. Correct it in the shop; the hub takes the correction over by itself."
        ),
        blocks=_("Writing this order to the ERP"),
        role="operations",
        due=timedelta(hours=8),
        rerun=jobs.again,
        one=one,
    ),
    Kind(
        code="take_up_failed",
        root=roots.words,
        title=_("Earlier order %(number)s could not be taken up"),
        explanation=_(
            "A process was switched on for earlier orders, and this one failed. It stays recorded; nothing was written."
        ),
        blocks=_("Writing this order to the ERP"),
        role="integrator",
        due=timedelta(hours=8),
        rerun=jobs.again,
        one=one,
    ),
    Kind(
        code="edited_after_export",
        title=_("Order %(number)s was changed after it went to the ERP"),
        explanation=_("The ERP holds the order as it was. Change it there too, then close this exception with a note."),
        blocks=_("Correct delivery and invoice of this order"),
        role="operations",
        due=timedelta(hours=4),
        rerun=jobs.again,
        one=one,
    ),
    Kind(
        code="cancelled_after_export",
        fixes=(aftersales.CASE_CONFIRM, aftersales.CASE_DECLINE),
        title=_("Order %(number)s was cancelled in the shop, the ERP still holds it"),
        explanation=_(
            "Cancel the sale in the ERP if it has not been shipped. The exception closes itself when the ERP says so."
        ),
        blocks=_("The goods must not be shipped"),
        role="operations",
        due=timedelta(hours=1),
        rerun=jobs.again,
        one=one,
    ),
)
