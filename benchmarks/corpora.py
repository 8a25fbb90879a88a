"""Corpora to measure with: invented capabilities and needs that behave like real ones, or real texts.

    python -m benchmarks.corpora [--docs 20000]     # calibration: the invented texts beside the real ones

An invented text is drawn word by word: from a background that every trade shares, from one of sixty
trades, and from one product of that trade, each with a Zipf-Mandelbrot law of its own. The words are real
(the dictionary of jieba, frequencies included), so that Han bigrams and characters arise with document
frequencies like those of real texts. Everything follows from the seed, block by block of 1,000 documents: a
corpus of 10,000 is the head of the one of 1,000,000, and neither has to be in memory.

Not here: what is measured (`speed`, `freshness`), and tokens (`tokens`).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from marketplace.indicators.model import Comparator, Indicator, Mark
from marketplace.matching.engine.documents import Conditions, Kind, Matchable, Standing

ROOT = Path(__file__).resolve().parents[1]
BLOCK = 1000
#: Raise it whenever the same seed gives other documents: what is kept on disk depends on it.
GENERATOR_VERSION = 1

_SHORTEST, _LONGEST = 40, 600
_TRADES, _PRODUCTS = 60, 40
_BACKGROUND_WORDS, _TRADE_WORDS, _PRODUCT_WORDS = 9000, 700, 14


def _listed(text: str) -> list[str]:
    return text.split()


# What almost every text of this kind says, most frequent first; the dictionary goes on from here.
_COMMON = _listed(
    """
    技术 产品 系统 应用 设计 生产 材料 研究 具有 提高 性能 工艺 设备 采用 企业 开发 实现 制造 质量 加工
    进行 要求 控制 结构 解决 公司 使用 检测 项目 能力 方法 关键 提供 满足 过程 环境 条件 效率 自主 领域
    国内 成本 行业 工程 装备 温度 有效 表面 高性能 数据 功能 稳定 测试 需求 形成 方案 智能 分析 服务
    降低 专利 稳定性 可靠性 寿命 精度 模型 市场 达到 主要 零部件 批量 用于 试验 自动化 强度 安全 标准
    优化 汽车 模具 能够 技术指标 处理 复合 平台 规模 客户 金属 平均 合金 机械 电子 能源 绿色 节能 先进
    核心 水平 验证
    """
)
_PARTICLES = "的和与及在对为可并等以经由其了中将从或后上有是"
# How often a word is one that the text has said before.
_REPEATING = 0.38
_CONTENT_TAGS = frozenset(["n", "v", "vn", "a", "ad", "an", "b", "l", "nz", "d"])

_MATERIALS = _listed(
    """
    钛合金 镁合金 铝合金 不锈钢 碳纤维 高温合金 硅钢 铸铁 聚氨酯 陶瓷 铜箔 石墨 玻璃纤维 氮化硅 碳化硅
    稀土 橡胶 尼龙 环氧 钨钢 锌合金 聚酰亚胺 硅胶 钢板 铝箔 气凝胶 芳纶 树脂 氧化锆 镍基
    """
)
_PROCESSES = _listed(
    """
    压铸 锻造 焊接 热处理 电镀 喷涂 注塑 冲压 铣削 磨削 车削 挤压 轧制 烧结 激光切割 渗碳 抛光 清洗 装配
    粘接 铆接 发酵 萃取 干燥 纺丝 涂布 封装 光刻 浇注 拉拔 滚齿 珩磨 蚀刻 固化 卷绕 退火 淬火 检漏 标定
    分选
    """
)
_THINGS = _listed(
    """
    轴承 齿轮 减速器 电机 泵 阀门 压缩机 传感器 控制器 主轴 导轨 丝杠 模具 刀具 夹具 机器人 变速器
    离合器 制动器 散热器 线束 连接器 电池 逆变器 变压器 开关 继电器 电缆 涡轮 叶片 壳体 支架 法兰 密封圈
    弹簧 螺栓 活塞 曲轴 缸体 过滤器 换热器 锅炉 风机 干燥机 包装机 输送带 切割机 打印机 显示屏 面板 芯片
    基板 薄膜 涂料 胶粘剂 纤维 织物 催化剂 试剂 疫苗 支架 假体 探头 镜头 滤光片 激光器 天线 滤波器
    编码器 仪表 阀芯 喷嘴 油缸 履带 轮毂 车架
    """
)
_QUALITIES = _listed(
    """
    精密 高速 重载 微型 大型 柔性 耐磨 耐蚀 高温 低温 低噪声 轻量化 集成 数控 防爆 真空 无油 超薄 高强
    自润滑 节能 车规级 工业 医用 船用 航空 矿山 食品级 五轴 伺服 永磁 液压 气动 光纤 无线 智能 双相 纳米
    半固态 一体化
    """
)
_TITLE_ENDS = _listed(
    """
    关键技术 生产线 制造工艺 研发与产业化 加工服务 检测平台 成套装备 国产化 性能提升 批量供应 总成
    解决方案
    """
)

# name, unit, lowest and highest value, decimals, and whether more is better
_MEASURES: tuple[tuple[str, str, float, float, int, bool], ...] = (
    ("定位精度", "mm", 0.001, 0.1, 3, False),
    ("表面粗糙度", "μm", 0.1, 3.2, 1, False),
    ("抗拉强度", "MPa", 180, 1600, 0, True),
    ("屈服强度", "MPa", 120, 1300, 0, True),
    ("疲劳寿命", "万次", 10, 1000, 0, True),
    ("额定负载", "kg", 3, 500, 0, True),
    ("额定功率", "kW", 1, 400, 0, True),
    ("额定转速", "r/min", 500, 30000, 0, True),
    ("噪声", "dB", 45, 85, 0, False),
    ("效率", "%", 60, 98, 1, True),
    ("合格率", "%", 90, 99, 1, True),
    ("使用寿命", "小时", 1000, 50000, 0, True),
    ("盐雾试验", "小时", 48, 1500, 0, True),
    ("重量", "kg", 1, 900, 0, False),
    ("导热系数", "W/(m·K)", 1, 400, 0, True),
    ("工作压力", "MPa", 1, 70, 0, True),
    ("泄漏率", "ppm", 1, 500, 0, False),
    ("硬度", "HRC", 20, 65, 0, True),
    ("响应时间", "ms", 1, 500, 0, False),
    ("能量密度", "Wh/kg", 120, 400, 0, True),
    ("厚度", "μm", 5, 900, 0, False),
    ("孔隙率", "%", 0.1, 8, 1, False),
    ("年产能", "万件", 1, 500, 0, True),
    ("最高温度", "℃", 60, 1400, 0, True),
)

# Shares of the provinces: one holds a tenth of all, one a hundredth, so that filters of both widths exist.
_PROVINCES = {
    "44": 13.5, "32": 12.5, "33": 10.5, "37": 10.0, "41": 5.5, "42": 4.8, "34": 4.6, "51": 4.3, "43": 4.0,
    "31": 3.9, "35": 3.6, "11": 3.4, "13": 3.3, "50": 2.9, "36": 2.4, "61": 2.2, "21": 2.0, "12": 1.6,
    "45": 1.0, "22": 0.8, "14": 0.8, "23": 0.6, "53": 0.5, "52": 0.4, "62": 0.3, "65": 0.2, "15": 0.2,
    "64": 0.1, "63": 0.04, "46": 0.04, "54": 0.02,
}  # fmt: skip
REGION_OF_A_TENTH, REGION_OF_A_HUNDREDTH = "370000", "450000"

_DESIGNATIONS = (
    ("high_tech", 0.35),
    ("srdi", 0.14),
    ("little_giant", 0.03),
    ("leader", 0.01),
    ("champion", 0.005),
)
_COOPERATION = ("commission", "joint", "transfer", "license")

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus by name, seed and size; what `capabilities` and `needs` yield follows from these alone."""

    name: str  # "invented", or the judged set whose texts it is made of
    seed: int = 20261122

    def capabilities(self, count: int, *, start: int = 0) -> Iterator[Matchable]:
        """Capabilities with ids start + 1 … count. `start` is a multiple of 1,000."""
        for block in range(start // BLOCK, -(-count // BLOCK)):
            yield from self._block(block)[: count - block * BLOCK]

    def needs(self, count: int) -> Iterator[Matchable]:
        """Needs with ids from 1, of organisations of their own; conditions are left to `filtered`."""
        texts = None if self.name == "invented" else _real_texts(self.name)[1]
        made = 0
        for block in range(-(-count // BLOCK)):
            draw = _Draw(np.random.default_rng([self.seed, 2, block]))
            for number in range(min(BLOCK, count - made)):
                need = draw.need(made + 1)
                if texts is not None:
                    text = texts[made % len(texts)]
                    # Sets with fewer queries than needs are asked again in halves.
                    if made >= len(texts):
                        text = text[: len(text) // 2] if (made // len(texts)) % 2 else text[len(text) // 2 :]
                    need = replace(
                        need, title="", keywords=(), sections=(("body", text or number_name(number)),)
                    )
                yield need
                made += 1

    def _block(self, block: int) -> list[Matchable]:
        draw = _Draw(np.random.default_rng([self.seed, 1, block]))
        first = block * BLOCK + 1
        if self.name == "invented":
            return [draw.capability(first + number) for number in range(BLOCK)]
        texts = _real_texts(self.name)[0]
        return [
            replace(
                draw.capability(first + number),
                title="",
                keywords=(),
                sections=(("body", _mixed(texts, first + number - 1, draw.rng)),),
            )
            for number in range(BLOCK)
        ]


def number_name(number: int) -> str:
    """A name that no other document has."""
    return f"XJ-{number}"


def filtered(needs: Iterable[Matchable], region: str) -> list[Matchable]:
    """The same needs, admitting only one region."""
    return [replace(need, conditions=replace(need.conditions, regions=(region,))) for need in needs]


def unconditional(needs: Iterable[Matchable]) -> list[Matchable]:
    """The same needs, admitting anybody."""
    return [replace(need, conditions=Conditions()) for need in needs]


# --- words ------------------------------------------------------------------------------------------------


def _zipf(count: int, *, offset: float, exponent: float) -> npt.NDArray[np.float64]:
    """The cumulative Zipf-Mandelbrot law (Mandelbrot 1953): p(rank) ∝ 1 / (rank + offset)^exponent."""
    shares = 1.0 / (np.arange(1, count + 1) + offset) ** exponent
    return np.cumsum(shares / shares.sum())


@dataclass(frozen=True, slots=True)
class _Trade:
    words: tuple[str, ...]
    products: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    cluster: str
    industry: str


@dataclass(frozen=True, slots=True)
class _Language:
    background: tuple[str, ...]
    background_law: npt.NDArray[np.float64]
    trade_law: npt.NDArray[np.float64]
    product_law: npt.NDArray[np.float64]
    trades: tuple[_Trade, ...]
    trades_law: npt.NDArray[np.float64]
    places: tuple[str, ...]
    places_law: npt.NDArray[np.float64]


@cache
def _language() -> _Language:
    """The vocabulary of every corpus: the same whatever the seed, as a language is."""
    rng = np.random.default_rng(4754)
    words = _dictionary_words()
    common = list(dict.fromkeys([*_COMMON, *words[:_BACKGROUND_WORDS]]))[:_BACKGROUND_WORDS]
    rest = words[1500:60_000]
    clusters, industries = _codes("clusters", deepest=True), _codes("industries", deepest=True)
    trades = []
    for number in range(_TRADES):
        own = [rest[place] for place in rng.integers(0, len(rest), _TRADE_WORDS)]
        technical = _drawn(rng, _MATERIALS, 6) + _drawn(rng, _PROCESSES, 8) + _drawn(rng, _QUALITIES, 8)
        things = _drawn(rng, _THINGS, 8)
        compounds = [a + b for a in technical[-8:] for b in things[:4]] + [
            a + b for a in things for b in _drawn(rng, _PROCESSES, 2)
        ]
        spoken = [*things, *technical, *compounds, *own]
        head = list(rng.permutation(len(things) + len(technical)))
        ordered = [spoken[place] for place in head] + spoken[len(head) :]
        products = []
        names = []
        for _ in range(_PRODUCTS):
            name = str(rng.choice(_QUALITIES)) + str(rng.choice(technical[:6])) + str(rng.choice(things))
            names.append(name)
            specific = [rest[place] for place in rng.integers(0, len(rest), _PRODUCT_WORDS - 4)]
            products.append((name, *_drawn(rng, _PROCESSES, 2), str(rng.choice(_THINGS)), *specific))
        trades.append(
            _Trade(
                tuple(ordered),
                tuple(products),
                tuple(names),
                clusters[number % len(clusters)],
                industries[number % len(industries)],
            )
        )
    places, shares = _places()
    return _Language(
        tuple(common),
        _zipf(len(common), offset=16.0, exponent=1.0),
        _zipf(len(trades[0].words) if trades else 1, offset=8.0, exponent=0.95),
        _zipf(_PRODUCT_WORDS, offset=2.0, exponent=0.9),
        tuple(trades),
        _zipf(_TRADES, offset=12.0, exponent=1.0),
        places,
        shares,
    )


def _drawn(rng: np.random.Generator, words: Sequence[str], count: int) -> list[str]:
    return [words[place] for place in rng.choice(len(words), count, replace=False)]


def _dictionary_words() -> list[str]:
    """Words of two to four Han characters of jieba's dictionary, most frequent first."""
    try:
        import jieba
    except ImportError as error:
        raise SystemExit(
            "benchmarks.corpora needs the words of jieba: install requirements-dev.txt"
        ) from error
    found = []
    with (Path(jieba.__file__).parent / "dict.txt").open(encoding="utf-8") as file:
        for line in file:
            word, frequency, tag = line.split()
            if tag in _CONTENT_TAGS and 2 <= len(word) <= 4 and "\u4e00" <= word[0] <= "\u9fff":
                found.append((-int(frequency), word))
    return [word for _, word in sorted(found)]


def _codes(name: str, *, deepest: bool) -> list[str]:
    with (ROOT / "marketplace" / "taxonomy" / "data" / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parents = {row["parent"] for row in rows}
    return [row["code"] for row in rows if not deepest or row["code"] not in parents]


def _places() -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Region codes of the taxonomy with the cumulative share of each."""
    lower = [code for code in _codes("regions", deepest=True) if code[:2] in _PROVINCES]
    inside = Counter(code[:2] for code in lower)
    shares = np.array([_PROVINCES[code[:2]] / inside[code[:2]] for code in lower])
    return tuple(lower), np.cumsum(shares / shares.sum())


# --- documents --------------------------------------------------------------------------------------------


class _Draw:
    """One block's stream of chance, drawn in bulk: a call of the generator for each word would be slow."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.language = _language()
        self._uniform: list[float] = []

    def uniform(self) -> float:
        if not self._uniform:
            self._uniform = self.rng.random(20_000).tolist()
        return self._uniform.pop()

    def pick(self, items: Sequence[str]) -> str:
        return items[int(self.uniform() * len(items))]

    def capability(self, number: int) -> Matchable:
        trade, product = self._subject()
        length = self._length(median=210.0, spread=0.62, short=0.07)
        stated = self._indicators(self._count(1, 4)) if self.uniform() < 1 / 3 else ()
        text = self._text(trade, product, length)
        if stated and self.uniform() < 0.7:
            text += "".join(f"{one.name}{_spoken(one)}。" for one in stated)
        organisation = self._organisation(number)
        return Matchable(
            Kind.CAPABILITY,
            number,
            title=self._title(trade, product),
            sections=(("summary", text),),
            keywords=self._keywords(trade, product),
            clusters=(trade.cluster,) if self.uniform() < 0.8 else (),
            industry=trade.industry if self.uniform() < 0.7 else "",
            trl=self._count(3, 9) if self.uniform() < 0.6 else None,
            indicators=stated if self.uniform() < 0.5 else (),
            cooperation=self._cooperation(),
            organisation_id=number // 3 + 1,
            **organisation,  # type: ignore[arg-type]
        )

    def need(self, number: int) -> Matchable:
        trade, product = self._subject()
        text = self._text(trade, product, self._length(median=330.0, spread=0.30, short=0.0))
        asked = self._indicators(self._count(2, 6)) if self.uniform() < 1 / 3 else ()
        sections = [("summary", text)]
        if asked:
            sections.append(("indicators", "\n".join(one.name for one in asked)))
        return Matchable(
            Kind.NEED,
            number,
            title=self._title(trade, product),
            sections=tuple(sections),
            keywords=self._keywords(trade, product),
            clusters=(trade.cluster,),
            region=self._place(),
            industry=trade.industry if self.uniform() < 0.7 else "",
            trl_target=self._count(5, 9) if self.uniform() < 0.5 else None,
            indicators=asked,
            cooperation=self._cooperation(),
            organisation_id=10_000_000 + number,
            organisation_kind="enterprise",
            organisation_size="large",
            standing=Standing.VERIFIED,
        )

    def _subject(self) -> tuple[_Trade, tuple[str, ...]]:
        trade = self.language.trades[int(np.searchsorted(self.language.trades_law, self.uniform()))]
        # The square makes some products common and most rare.
        return trade, trade.products[int(self.uniform() ** 2 * len(trade.products))]

    def _length(self, *, median: float, spread: float, short: float) -> int:
        if self.uniform() < short:
            return self._count(_SHORTEST, 60)
        return int(min(_LONGEST, max(_SHORTEST, median * np.exp(spread * self.rng.standard_normal()))))

    def _text(self, trade: _Trade, product: Sequence[str], length: int) -> str:
        """Sentences of about `length` characters: 56 % background, 30 % trade, 14 % product."""
        language = self.language
        estimate = length // 2 + 8
        source = self.rng.random(estimate)
        place = self.rng.random(estimate)
        again = self.rng.random(estimate).tolist()
        joint = self.rng.random(estimate).tolist()
        background = np.searchsorted(language.background_law, place).tolist()
        of_trade = np.searchsorted(language.trade_law, place).tolist()
        of_product = np.searchsorted(language.product_law, place).tolist()
        said: list[str] = []
        written: list[str] = []
        size = 0
        for number, share in enumerate(source.tolist()):
            is_repeated = bool(said) and again[number] < _REPEATING
            if is_repeated:
                word = said[int(again[number] / _REPEATING * len(said))]
            elif share < 0.56:
                word = language.background[min(background[number], len(language.background) - 1)]
            elif share < 0.86:
                word = trade.words[min(of_trade[number], len(trade.words) - 1)]
            else:
                word = product[min(of_product[number], len(product) - 1)]
            if not is_repeated:
                said.append(word)
            written.append(word)
            size += len(word)
            chance = joint[number]
            if chance < 0.16:
                written.append(_PARTICLES[int((chance / 0.16) ** 2 * len(_PARTICLES))])
                size += 1
            elif chance < 0.27:
                written.append("，" if chance < 0.22 else "、")
                size += 1
            elif chance > 0.94:
                written.append("。")
                size += 1
            elif chance > 0.935:
                written.append(f"{chr(65 + int(place[number] * 26))}{self._count(10, 9999)}")
                size += 5
            if size >= length:
                break
        return "".join(written) + "。"

    def _title(self, trade: _Trade, product: Sequence[str]) -> str:
        middle = self.pick(_PROCESSES) if self.uniform() < 0.5 else trade.words[self._count(0, 20)]
        return f"{product[0]}{middle}{self.pick(_TITLE_ENDS)}"

    def _keywords(self, trade: _Trade, product: Sequence[str]) -> tuple[str, ...]:
        if self.uniform() < 0.4:
            return ()
        return tuple(dict.fromkeys((product[0], product[self._count(1, 3)], trade.words[self._count(0, 30)])))

    def _indicators(self, count: int) -> tuple[Indicator, ...]:
        chosen: dict[str, Indicator] = {}
        while len(chosen) < count:
            name, unit, lowest, highest, decimals, more = _MEASURES[int(self.uniform() * len(_MEASURES))]
            value = lowest * (highest / lowest) ** self.uniform()
            mark = (Mark.MUST, Mark.KEY, Mark.PLAIN)[self._count(0, 2)]
            comparator = Comparator.GE if more else Comparator.LE
            shown = Decimal(f"{value:.{decimals}f}")
            chosen[name] = Indicator(name, comparator, value=shown, unit=unit, mark=mark)
        return tuple(chosen.values())

    def _cooperation(self) -> tuple[str, ...]:
        return tuple(code for code in _COOPERATION if self.uniform() < 0.3)

    def _count(self, least: int, most: int) -> int:
        return least + int(self.uniform() * (most - least + 1))

    def _place(self) -> str:
        found = int(np.searchsorted(self.language.places_law, self.uniform()))
        return self.language.places[min(found, len(self.language.places) - 1)]

    def _organisation(self, number: int) -> dict[str, object]:
        """Facts of the organisation behind capability `number`; those of one organisation are the same."""
        own = _Fixed(number // 3 + 1)
        kind = own.one_of((("enterprise", 0.8), ("institute", 0.09), ("university", 0.09), ("service", 0.02)))
        size = own.one_of((("small", 0.5), ("micro", 0.2), ("medium", 0.22), ("large", 0.08)))
        standing = own.one_of((("verified", 0.55), ("collected", 0.4), ("unverified", 0.05)))
        place = int(np.searchsorted(self.language.places_law, own.uniform()))
        held = tuple(code for code, share in _DESIGNATIONS if own.uniform() < share)
        return {
            "organisation_kind": kind,
            "organisation_size": size if kind == "enterprise" else "",
            "standing": Standing(standing),
            "region": self.language.places[min(place, len(self.language.places) - 1)],
            "designations": held if kind == "enterprise" else (),
        }


class _Fixed:
    """Chance that follows from a number (splitmix64, Steele, Lea and Flood 2014)."""

    def __init__(self, number: int) -> None:
        self._state = number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF

    def uniform(self) -> float:
        self._state = (self._state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        mixed = (self._state ^ self._state >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        return (mixed ^ mixed >> 31) / 2.0**64

    def one_of(self, shares: Sequence[tuple[str, float]]) -> str:
        left = self.uniform()
        for name, share in shares:
            left -= share
            if left < 0:
                return name
        return shares[0][0]


def _spoken(indicator: Indicator) -> str:
    """An indicator as a capability states it in a sentence."""
    bound = "不低于" if indicator.comparator is Comparator.GE else "不超过"
    return f"{bound}{indicator.value}{indicator.unit}"


# --- real texts -------------------------------------------------------------------------------------------

#: Judged set → where its needs come from: its own queries, or documents of the set (whole abstracts).
REAL = {"csl_hard_dev": "documents", "sbir_dev": "queries", "chain_company_dev": "queries"}


@cache
def _real_texts(name: str) -> tuple[list[str], list[str]]:
    """Texts of the documents and of the needs of a judged set of MARKETPLACE_REAL_DATA."""
    folder = real_folder(name)
    if folder is None:
        raise SystemExit(f"MARKETPLACE_REAL_DATA/judged/{name} is not there")
    documents = _read_texts(folder / "docs.jsonl")
    if REAL[name] == "queries":
        return documents, _read_texts(folder / "queries.jsonl")
    held_out = len(documents) // 5
    return documents[held_out:], documents[:held_out]


def real_folder(name: str) -> Path | None:
    """Where a judged set lies, or None without MARKETPLACE_REAL_DATA."""
    data = os.environ.get("MARKETPLACE_REAL_DATA", "")
    folder = Path(data) / "judged" / name
    return folder if data and name in REAL and folder.is_dir() else None


def _read_texts(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file if line.strip()]


def _mixed(texts: Sequence[str], number: int, rng: np.random.Generator) -> str:
    """The text itself as long as there are any; then the first half of one before the second of another."""
    if number < len(texts):
        return texts[number]
    first, second = (texts[place] for place in rng.integers(0, len(texts), 2))
    return first[: len(first) // 2] + second[len(second) // 2 :]


# --- calibration ------------------------------------------------------------------------------------------


def calibrate(documents: Sequence[str], needs: Sequence[str]) -> dict[str, dict[str, float]]:
    """What decides how fast texts are matched, field by field.

    `distinct`: terms of a document; `asked`: of a need; `postings`: how many postings a need touches, per
    document of the corpus; `top1`, `top10` … : share of documents with the term of that rank; `once`:
    share of the vocabulary in one document only.
    """
    from marketplace.matching.engine.terms import section_terms

    analysed = [set(section_terms(text)) for text in documents]
    asked = [set(section_terms(text)) for text in needs]
    frequency = Counter(term for terms in analysed for term in terms)
    found: dict[str, dict[str, float]] = {}
    for letter, name in zip("wbcp", ("words", "bigrams", "characters", "pairs"), strict=True):
        ranks = sorted((count for term, count in frequency.items() if term[0] == letter), reverse=True)
        if not ranks:
            continue
        touched = [sum(frequency[term] for term in terms if term[0] == letter) for terms in asked]
        found[name] = {
            "distinct": sum(ranks) / len(documents),
            "asked": sum(sum(term[0] == letter for term in terms) for terms in asked) / len(needs),
            "postings": sum(touched) / len(touched) / len(documents),
            **{
                f"top{rank}": ranks[rank - 1] / len(documents)
                for rank in (1, 10, 100, 1000)
                if len(ranks) >= rank
            },
            "once": sum(count == 1 for count in ranks) / len(ranks),
        }
    return found


def main() -> None:
    """Print the calibration of the invented corpus beside that of the real texts there are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--docs", type=int, default=2000, help="documents of each corpus (frequencies depend on it)"
    )
    options = parser.parse_args()
    for name in ["invented", *(name for name in REAL if real_folder(name))]:
        corpus = Corpus(name)
        documents = [_whole(one) for one in corpus.capabilities(options.docs)]
        needs = [_whole(one) for one in corpus.needs(200)]
        lengths = np.percentile([len(text) for text in documents], [10, 50, 90])
        print(
            f"{name}: {len(documents)} documents of {lengths.astype(int).tolist()} characters (p10, p50, p90)"
        )
        for field, values in calibrate(documents, needs).items():
            print("  " + f"{field:<11}" + "  ".join(f"{key} {value:.4g}" for key, value in values.items()))


def _whole(document: Matchable) -> str:
    return "\n".join(text for _, text in document.text_sections())


if __name__ == "__main__":
    main()
