"""Words for a demonstration library: what offices call things, and invented words.

Entry points: LANGUAGES, and prose for what is written in the documents. The same at
each run; nobody's name is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

# Characters of prose that documents are cut from, in each language.
PROSE_LENGTH = 32 << 10


@dataclass(frozen=True, slots=True)
class Language:
    """How one language's documents, folders and invented words look."""

    code: str  # ISO 639-1
    weight: int  # of a hundred files
    documents: tuple[str, ...]
    folders: tuple[str, ...]
    syllables: tuple[str, ...]
    between: str = " "  # words of a name and of a sentence
    stop: str = ". "


def _language(
    code: str,
    weight: int,
    documents: str,
    folders: str,
    syllables: str,
    between: str = " ",
    stop: str = ". ",
) -> Language:
    things, places, parts = (
        tuple(text.replace("_", " ") for text in texts.split())
        for texts in (documents, folders, syllables)
    )
    return Language(code, weight, things, places, parts, between, stop)


_LATIN = "ba ber cal den dor el fan gri ha is jun kel lo mar mi nor o pa quil ra sen ta ul ver zo"

LANGUAGES = (
    _language(
        "en",
        34,
        "Report Minutes Invoice Offer Contract Budget Plan Summary Agenda Checklist Draft"
        " Letter Overview Schedule Guide Order Survey Price_list Meeting_notes Test_results",
        "Accounting Projects Marketing Sales Legal Personnel Archive Shared Templates Research",
        _LATIN,
    ),
    _language(
        "de",
        18,
        "Bericht Protokoll Rechnung Angebot Vertrag Haushalt Übersicht Entwurf Stückliste"
        " Anleitung Prüfbericht Lieferschein Mängelliste Stellungnahme Gutachten",
        "Buchhaltung Projekte Vertrieb Recht Personal Ablage Vorlagen Einkauf Fertigung",
        "ach ben dürf ent fel ge hin itz kau lich mög nen ung rück schla tra über ver wei zu",
    ),
    _language(
        "fr",
        9,
        "Rapport Facture Devis Contrat Synthèse Planning Procès-verbal Relevé Étude Courrier",
        "Comptabilité Chantiers Ventes Juridique Archives Modèles",
        "au bel ché dou en fré gla ier jou li mon né oi pré quel ré sou té ville",
    ),
    _language(
        "es",
        8,
        "Informe Factura Presupuesto Contrato Resumen Acta Pedido Catálogo Cotización",
        "Contabilidad Proyectos Ventas Archivo Plantillas",
        "al bo ción de es fa gue ja lla mi ño os per quí ra so tu ver za",
    ),
    _language(
        "pl",
        4,
        "Raport Faktura Oferta Umowa Zestawienie Protokół Zamówienie Załącznik",
        "Księgowość Projekty Sprzedaż Archiwum",
        "ani bra cze do ę głę ił ja ko łą mi nie ość prze rzy ść tów wa żó",
    ),
    _language(
        "cs",
        3,
        "Zpráva Faktura Nabídka Smlouva Přehled Zápis Objednávka",
        "Účetnictví Projekty Spisovna",
        "ač bě cho dů ě háj ím já kři lé mně né ov pří ro sť tě ů vý žen",
    ),
    _language(
        "tr",
        3,
        "Rapor Fatura Teklif Sözleşme Özet Tutanak Çizelge",
        "Muhasebe Projeler Arşiv",
        "ağ bil çö dır eş fı gün ış kü lar mi nöb öl şim ta üç ver yı",
    ),
    _language(
        "vi",
        2,
        "Báo_cáo Hóa_đơn Hợp_đồng Kế_hoạch Biên_bản",
        "Kế_toán Dự_án Lưu_trữ",
        "ba chợ đá ê gió hề khở lạ mưu nghĩ ổ phở quý rạ sữ tề ước vẽ",
    ),
    _language(
        "ru",
        5,
        "Отчёт Счёт Договор Смета План Протокол Приложение Накладная",
        "Бухгалтерия Проекты Архив",
        "ба вер го дня ет жи за ин ко лю мо ние от при рос сти ту ху це ща",
    ),
    _language(
        "uk",
        2,
        "Звіт Рахунок Договір Кошторис План Довідка",
        "Бухгалтерія Проєкти Архів",
        "ба від го дня її жи за ко лю мо ння от при рі сти ту ці ща",
    ),
    _language(
        "el",
        2,
        "Αναφορά Τιμολόγιο Σύμβαση Πρόγραμμα Πρακτικά",
        "Λογιστήριο Έργα Αρχείο",
        "αν βε γρά δο εί ζω θη κα λό με νι ου πρό ρα σης τι φο χει",
    ),
    _language(
        "ja",
        3,
        "報告書 議事録 見積書 契約書 請求書 仕様書 計画書",
        "経理 企画 資料 保管",
        "あき いと うみ かぜ きり くも さと しま そら たに つき なみ はな ほし みち ゆき",
        "",
        "。",
    ),
    _language(
        "zh",
        3,
        "报告 会议纪要 合同 发票 预算 说明书 计划",
        "财务 项目 资料 存档",
        "山 水 云 石 林 风 明 远 平 安 文 新 海 光 和 春",
        "",
        "。",
    ),
    _language(
        "ko",
        1,
        "보고서 회의록 견적서 계약서 계획서",
        "회계 프로젝트 보관",
        "가 나람 다솔 라온 마루 바다 사랑 아침 자리 차오 하늘",
    ),
    _language(
        "ar",
        1,
        "تقرير فاتورة عقد خطة محضر",
        "المحاسبة المشاريع الأرشيف",
        "با تور جم در را سل شم عا فر قل كت لم من نو هد وي",
    ),
    _language(
        "he",
        1,
        "דוח חשבונית חוזה תוכנית סיכום",
        "חשבונות פרויקטים ארכיון",
        "אב בר גל דר הו זה חי טו יל כר מע נו סר פי צל קר שם תו",
    ),
    _language(
        "hi",
        1,
        "रिपोर्ट बिल अनुबंध योजना सूची",
        "लेखा परियोजना संग्रह",
        "अन कर गा चल जन ता दे नि पर बा मन या रा ला वि सा हि",
    ),
)


@cache
def prose(code: str) -> str:
    """Return PROSE_LENGTH characters of sentences of invented words, without markup."""
    language = next(one for one in LANGUAGES if one.code == code)
    rng = Random(f"prose {code}")  # noqa: S311  # not for secrets
    sentences: list[str] = []
    length = 0
    while length < PROSE_LENGTH:
        words = [invented(rng, language) for _ in range(rng.randint(4, 14))]
        sentence = language.between.join(words) + language.stop
        sentences.append(sentence[0].upper() + sentence[1:])
        length += len(sentence)
    return "".join(sentences)[:PROSE_LENGTH]


def invented(rng: Random, language: Language) -> str:
    """Return a word of two or three of the language's syllables that means nothing."""
    return "".join(rng.choices(language.syllables, k=rng.randint(2, 3)))
