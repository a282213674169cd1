"""The currencies that money on this platform can be in: ISO 4217, those that circulate.

An amount is a whole number of minor units; how many of them make one unit is said here, too.
"""

from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field

# No funds, no precious metals, no codes for tests.
_CODES: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
    GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW
    KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR
    MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
_WITHOUT_MINOR_UNIT: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_IN_THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"

CURRENCIES: Final = frozenset(_CODES.split())
WITHOUT_MINOR_UNIT: Final = frozenset(_WITHOUT_MINOR_UNIT.split())
IN_THOUSANDTHS: Final = frozenset(_IN_THOUSANDTHS.split())


def _known(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("no currency of ISO 4217 that circulates")
    return code


Currency: TypeAlias = Annotated[
    str, AfterValidator(_known), Field(json_schema_extra={"enum": [*sorted(CURRENCIES)]})
]


def written(amount_minor: int, currency: str) -> str:
    """The amount as people read it, such as `12.50 EUR`; an unknown currency has hundredths."""
    digits = 0 if currency in WITHOUT_MINOR_UNIT else 3 if currency in IN_THOUSANDTHS else 2
    sign = "-" if amount_minor < 0 else ""
    whole, part = divmod(abs(amount_minor), 10**digits)
    return f"{sign}{whole}{f'.{part:0{digits}}' if digits else ''} {currency}"
