"""Headings that shops and CRMs use in six languages for a field, beside its name and aliases.

Only those that mean nothing else: `Kundennummer` may be the number of another system, `Nom` a first or a last name.
`tests/customers/labelled_headings.csv` holds them to that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache

from bulkupdate.customers.fields import FIELD_BY_NAME, FIELDS, Field, normalize_heading

_PHONES = """phone, phone number, phone no, telephone, telephone number, telephone no, tel, tel no, telefon,
telefonnummer, telefonnr, telnr, telnummer, rufnummer, fon, numéro de téléphone, n de téléphone, no de téléphone, tél,
numéro téléphone, teléfono, número de teléfono, n de teléfono, num teléfono, tlf, telf, numero di telefono, numero
telefono, n telefono, num telefono, recapito telefonico, tfno, tlfno, telefoon, telefoonnummer, telefoonnr, landline,
landline number, festnetz, festnetznummer, telefon festnetz, tél fixe, téléphone fixe, n de tél, n tél, teléfono fijo,
tel fijo, telefono fisso, tel fisso, vaste telefoon, vast telefoonnummer, vast nummer"""
_MOBILES = """mobile, mobile phone, mobile number, mobile phone number, mobile no, mobile nr, mobile telephone, mobile
tel, mobile cell, mob, mob no, mob nr, mob tel, cell, cell no, cell number, cell phone, cell phone number, cellphone,
cellphone number, cellular, cellular phone, handy, handynummer, handynr, mobil, mobilnummer, mobilnr, mobiltelefon,
mobiltelefonnummer, mobilfunk, mobilfunknummer, mobilfunknr, telefon mobil, tel mobil, portable, téléphone portable,
tél portable, numéro de portable, n de portable, n portable, téléphone mobile, tél mobile, numéro de mobile, numéro
mobile, n mobile, n de mobile, gsm, móvil, teléfono móvil, número de móvil, número móvil, tel móvil, n móvil, celular,
teléfono celular, número de celular, número celular, cellulare, telefono cellulare, numero di cellulare, numero
cellulare, n cellulare, tel cellulare, telefono mobile, numero mobile, telefonino, mobiel, mobiele telefoon, mobiel
nummer, mobiele nummer, mobiel telefoonnummer, mobiele telefoonnummer, mobiele tel, gsm nummer"""
_HEADINGS = {
    "CustomerId": """sellercloud id, sellercloud customer id, sellercloud customer, sc customer id, sc id, sellercloud
        customer number, sellercloud kundennummer, sellercloud kunden id, sellercloud kundennr, id client sellercloud,
        id sellercloud, numéro client sellercloud, id cliente sellercloud, codice cliente sellercloud, sellercloud
        klant id, sellercloud klantnummer""",
    "Email": """e-mail address, primary email, primary email address, main email, main email address, default email,
        email id, mailadresse, emailadresse, email adr, adresse email, adresse mail, adresse électronique, adresse
        courriel, adresse de courriel, courriel, courrier électronique, mél, adresse de messagerie, correo
        electrónico, correo, correo e, dirección de correo electrónico, dirección de correo, dirección de email,
        dirección email, email principal, correo principal, indirizzo email, indirizzo di posta elettronica, indirizzo
        mail, posta elettronica, email principale, emailadres, mailadres, elektronische post""",
    "Phone1": """primary phone, primary phone number, main phone, main phone number, default phone, haupttelefon,
        erste telefonnummer, téléphone principal, teléfono principal, telefono principale""",
    "Phone2": """second phone, secondary phone, alternate phone, alternative phone, other phone, zweite telefonnummer,
        weitere telefonnummer, second téléphone, autre téléphone, segundo teléfono, otro teléfono, secondo telefono,
        altro telefono, tweede telefoonnummer""",
    "Phone3": """third phone, dritte telefonnummer, troisième téléphone, tercer teléfono, terzo telefono, derde
        telefoonnummer""",
    "Fax": """fax no, fax nr, faxnr, faxnummer, telefax, telefaxnummer, telefaxnr, télécopie, télécopieur, numéro de
        fax, numéro fax, numéro de télécopie, n de fax, número de fax, número fax, numero di fax, n fax""",
    "BusinessName": """organization, organisation, organization name, organisation name, legal name, legal entity
        name, firma, firmenname, firmenbezeichnung, name der firma, unternehmen, unternehmensname, name des
        unternehmens, société, nom de la société, nom société, entreprise, nom de l'entreprise, nom entreprise, raison
        sociale, nom de société, nom d'entreprise, empresa, nombre de la empresa, nombre de la compañía, nombre
        empresa, nombre de empresa, razón social, azienda, nome azienda, nome dell'azienda, nome società, nome della
        società, ragione sociale, bedrijf, bedrijfsnaam, naam bedrijf, naam van het bedrijf, firmanaam""",
    "Name": """first and last name, first name and last name, first & last name, vollständiger name, ganzer name, vor
        und nachname, vorname und nachname, vorname nachname, vor & nachname, name vorname, nom complet, nom et
        prénom, prénom et nom, nom prénom, nom & prénom, nombre completo, nombre y apellidos, nombre y apellido,
        nombre apellidos, nome completo, nome e cognome, nome cognome, cognome e nome, volledige naam, voor en
        achternaam, voornaam en achternaam, voornaam achternaam""",
    "Title": """form of address, mr mrs, anrede, civilité, civ, tratamiento, titolo di cortesia, aanhef,
        aanspreektitel""",
    "Comments": """note, general comments, general notes, remark, remarks, bemerkung, bemerkungen, anmerkung,
        anmerkungen, notiz, notizen, kommentar, kommentare, remarque, remarques, commentaire, commentaires,
        observation, observations, notas, comentario, comentarios, observación, observaciones, observac, obs,
        osservazione, osservazioni, commento, commenti, annotazioni, opm, opmerking, opmerkingen, notitie,
        notities""",
    "IsWholesale": """wholesale customer, is wholesale customer, is wholesale, wholesaler, wholesale account,
        grosshandel, grosshandelskunde, ist grosshandel, ist grosshandelskunde, grosshändler, grossiste, client
        grossiste, est grossiste, mayorista, es mayorista, cliente mayorista, grossista, cliente grossista,
        groothandel, groothandelaar, is groothandel""",
    "Salesman": """sales representative, sales person, salesperson name, sales rep name, salesman name, verkäufer,
        vertriebsmitarbeiter, handelsvertreter, vendeur, représentant, représentant commercial, vendedor,
        representante de ventas, venditore, rappresentante, verkoper, vertegenwoordiger""",
    "EmailCC": """cc email, cc emails, cc address, email copy, email kopie, copie email""",
    "CompanyId": "sellercloud company id, sellercloud company",
}
_OWNERS = """customer, customer's, client, client's, buyer, kunde, kunden, des kunden, du client, cliente, del
cliente, klant, van de klant, klanten"""
_OWNED = {
    "Email": "email, mail, adresse email, emailadresse, correo electrónico, indirizzo email, emailadres, email address",
    "Phone1": _PHONES,
    "Mobile": _MOBILES,
    "Fax": "fax, fax number, faxnummer",
    "BusinessName": "company name, business name, firma",
    "Name": "name, full name, nome e cognome, nom, nombre, nome, naam",
    "Comments": "note, notes, comment, comments, remarks, notiz, notizen, bemerkung, notas, opmerking, commentaire",
}
"""What may have the word for customer before or after it. `nom du client` is the whole name, `nom` may not be."""


_SIMILARITY = 0.8
"""How similar a heading must be (difflib's ratio, 0 to 1) to be guessed."""

_SIGNS = re.compile(r"[:*'’`´°º#()/&,+]+")


def find_common_field(heading: str) -> Field | None:
    """Return the field that a heading commonly means, None if none or not for certain."""
    normalized = _normalize(heading)
    return _index_headings().get(normalized) or next(_find_owned(normalized), None)


def find_similar_heading(heading: str) -> Field | None:
    """Return the field whose headings one resembles most, for a user to confirm; None if it resembles none."""
    known = _index_headings()
    close = get_close_matches(_normalize(heading), known, n=1, cutoff=_SIMILARITY)
    return known[close[0]] if close else None


def _normalize(heading: str) -> str:
    """Return a heading as it is compared: as those of the field table, and without accents and signs."""
    folded = _SIGNS.sub("", normalize_heading(heading))
    if folded.isascii():
        return folded
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _find_owned(normalized: str) -> Iterator[Field]:
    """Yield the field of a heading with the word for customer taken off its start or its end."""
    owners, owned = _index_owned()
    if not (normalized.startswith(owners) or normalized.endswith(owners)):
        return
    rests = ((normalized.removeprefix(owner), normalized.removesuffix(owner)) for owner in owners)
    yield from (owned[rest] for pair in rests for rest in pair if rest in owned and rest != normalized)


@cache
def _index_headings() -> dict[str, Field]:
    return _index(_list_headings())


@cache
def _index_owned() -> tuple[tuple[str, ...], dict[str, Field]]:
    owned = _index((name, heading) for name, headings in _OWNED.items() for heading in _split(headings))
    return tuple(map(_normalize, _split(_OWNERS))), owned


def _list_headings() -> Iterator[tuple[str, str]]:
    """Yield a field name and a heading that means the field."""
    for field in FIELDS:
        yield from ((field.name, heading) for heading in (field.name, *field.aliases))
    for name, headings in _HEADINGS.items():
        yield from ((name, heading) for heading in _split(headings))
    for word in _split(_MOBILES):
        yield from (("Mobile", word), ("Mobile", f"{word} 1"))
    for word in _split(_PHONES):
        yield from (("Phone1", word), ("Phone1", f"{word} 1"), ("Phone2", f"{word} 2"), ("Phone3", f"{word} 3"))


def _split(headings: str) -> list[str]:
    return [heading for part in headings.split(",") if (heading := " ".join(part.split()))]


def _index(headings: Iterable[tuple[str, str]]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for name, heading in headings:
        field = found.setdefault(_normalize(heading), FIELD_BY_NAME[name])
        if field.name != name:
            raise ValueError(f"the heading {heading!r} means both {field.name} and {name}")
    return found
