"""Words that people search for and the documentation does not use, each with the words it does use.

The documentation is written in English; those who read it also think in Macedonian, Serbian and Albanian, and know the
words of other APIs. Every word stands here as the search folds it: Latin letters, lower case, without accents.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_WORDS: Final = """
    3ds 3dsecure sca: authentication
    auth login: authentication
    balans saldo bilans bilanci: balance
    banka banke banki bankarska: bank
    bearer token tokeni: key
    cene cena cmim cmimi: price
    cents stotinki deni pare: minor
    cursor pagination paginate paging next_page: paging
    denar denari: mkd
    dinar dinari: rsd
    dokumentacija vodic udhezues: guide
    dogadaj nastan nastani dogadaji ngjarje: event
    duplicate retry retries resend: retry
    evro euro evra: eur
    greshka greska greski greske gabim gabimet: error
    iznos shuma: amount
    nodejs node js typescript: javascript
    isprobavanje proba test testiranje: test
    java golang go csharp dotnet ruby: library
    karta karticka karticki kartica kartice kartela: card
    kljuc kluc klucevi celes celesi: key
    knjiga libri kontabilitet: ledger
    korisnik klient kupac kupuvac klienti: customer
    kurs currencies valuta valute monedha: currency
    lek leke: all
    limit limits throttle throttling quota ratelimit ratelimits: rate
    livemode production produkcija: live
    marketplace: connected
    naplata naplati arketim checkout: checkout
    otkazi anulim: cancel
    page pages: paging
    placanje placanja plakanje plakanja plakjanje plakjanja plati pagese pagesa pagesat paguaj: payment
    potpis nenshkrim: signature
    povrat povracaj vracanje vrakanje vrakjanje refundacija refundiranje rimbursim kthim: refund
    povezi povrzi lidh: link
    sdk sdks libraries: library
    simulate simulation simulacija: clock
    sigurnost bezbednost bezbedno siguria: security
    skopje makedonija: mk
    smetka smetki racun racuni llogari llogaria: account
    transakcija transakcii transakcije transaksion: transaction
    upgrade versioning: version
    validacija verify verification verifikacija: check
    webhuk vebhuk: webhook
"""


def _read(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in text.strip().splitlines():
        asked, _, used = line.partition(":")
        for word in asked.split():
            found[word] = (*found.get(word, ()), *used.split())
    return found


OURS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(_read(_WORDS))
"""By the word that is asked for: what else is looked for in its place."""
