"""Whether two names mean the same thing: 额定负载 and 负载能力 do, 定位精度 and 重复定位精度 do not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from marketplace.language import normalise, words

# Words that say which value of a thing is meant. Two names with different ones are different things.
_WHICH = (
    "额定|最大|最小|最高|最低|平均|典型|峰值|持续|连续|瞬时|有效|标称|公称"
    "|rated|maximum|max|minimum|min|nominal|average|peak"
)
_WHOSE = "整机|系统|产品|设备|样机|本体|单台|整体|总成"
_TAIL = "能力|指标|参数|数值|要求|水平|大小|范围|区间"
# Names of one thing; the first of each group stands for all.
_SAME = (
    ("负载", "载荷", "载重", "承载", "负荷", "有效载荷", "payload", "load capacity"),
    ("重复定位精度", "重复精度", "重复性精度", "repeatability"),
    ("定位精度", "positioning accuracy"),
    ("导热系数", "导热率", "热导率", "热传导系数", "thermal conductivity"),
    ("良率", "良品率", "成品率", "yield rate"),
    ("延伸率", "断后伸长率", "伸长率", "elongation"),
    ("抗拉强度", "拉伸强度", "tensile strength"),
    ("屈服强度", "yield strength"),
    ("工作温度", "使用温度", "运行温度", "工作环境温度", "operating temperature"),
    ("噪声", "噪音", "噪声级", "noise"),
    ("表面粗糙度", "粗糙度", "surface roughness"),
    ("防护等级", "防水等级", "防尘防水等级", "protection rating"),
    ("节油率", "油耗降低率"),
    ("使用寿命", "服役寿命", "service life"),
    ("循环寿命", "cycle life"),
    ("能量密度", "energy density"),
    ("功率密度", "power density"),
    ("检测准确率", "检出准确率"),
    ("准确率", "正确率"),
    ("响应时间", "反应时间", "response time"),
    ("交货期", "交付周期", "供货周期", "lead time"),
)
_CANONICAL = {name: group[0] for group in _SAME for name in group}
_ALL_NAMES = {group[0]: group for group in _SAME}
# In front of a name they make another thing of it.
_MAKES_ANOTHER = (
    "重复|非|反向|角度|角|相对|绝对|动态|静态|横向|纵向|轴向|径向|初始|剩余|累计|水平|垂直|差分|二次|残余"
    "|高温|低温|比|弯曲|接触|扭转|旋转|冲击|空载|包装|心部|芯部|边缘|局部|离线|单向|双向"
)
# Too general to stand for a longer name: "100 小时的时间" is not a 检测时间.
_TOO_GENERAL = frozenset(
    [
        "时间",
        "温度",
        "速度",
        "长度",
        "宽度",
        "高度",
        "数量",
        "面积",
        "体积",
        "成本",
        "价格",
        "周期",
        "次数",
        "效率",
        "压力",
        "能力",
    ]
)
_LETTER = "a-z0-9\u00c0-\u024f"
# A short name is easily a part of another: 过滤效率 is no 效率, but 电机效率 and 运行噪声 may be taken so.
_SHORT = 2
_OWNER_BEFORE = re.compile(
    "(?:机|器|人|泵|阀|车|臂|仪|炉|电池|电芯|天线|装置|模组|模块|平台|组件|件|材料|合金|气|粉末|运行|工作|使用|额定工况|量产|批量"
    "|生产|综合|累计|室温|涂层|加工后|淬火后|端到端|长期)$"
)
_OWNER_BEFORE_SHARE = re.compile("(?:检测|识别|预测|分类|诊断|算法|模型)$")
_SHARES_OF_ANYTHING = frozenset(
    [
        "成功率",
        "合格率",
        "准确率",
        "回收率",
        "去除率",
        "转化率",
        "利用率",
        "覆盖率",
        "通过率",
        "检出率",
        "完成率",
        "保持率",
        "召回率",
        "占比率",
    ]
)
# Of what has many of them it has to be the whole: 镀层厚度 is not the 厚度 asked for.
_OF_MANY = frozenset(
    [
        "厚度",
        "长度",
        "宽度",
        "高度",
        "深度",
        "直径",
        "重量",
        "质量",
        "体积",
        "面积",
        "温度",
        "压力",
        "速度",
        "时间",
        "强度",
        "硬度",
    ]
)
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_NEUTRAL_BEFORE = re.compile(
    r"(?:[0-9]\s?(?:[%‰℃a-zμ/·^°()]{1,8}|公斤|千克|吨|毫米|微米|小时|分钟|秒|年|万?次|兆帕|千瓦|瓦|伏|升|倍)(?:以上|以下|以内|左右)?"
    rf"|^|[\s,，;；、。:：(（/和与及且其的]|{_WHOSE}|{_WHICH}|具有|实现|具备|达到|保证|提供|支持|满足|使|时|后|下|上)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart: its core, and which value of it is meant (额定, 最大 …)."""

    core: str
    which: str

    def same_as(self, other: Name) -> bool:
        """Whether both mean the same measured thing; a name without 额定 or 最大 goes with either."""
        if not self.core or self.core != other.core:
            return False
        return not self.which or not other.which or self.which == other.which


@lru_cache(maxsize=4096)
def understand(name: str) -> Name:
    """Take a name apart: "整机额定负载能力(单臂)" is 负载, 额定."""
    plain = _BRACKETS.sub("", normalise(name)).strip().lower()
    plain = re.sub(r"\s+", " " if plain.isascii() else "", plain)
    plain = re.sub(rf"^(?:{_WHOSE})(?=.{{2}})", "", plain)
    which = ""
    if match := re.match(rf"(?:{_WHICH})\s?(?=.{{2}})", plain):
        which, plain = match[0].strip(), plain[match.end() :]
    plain = re.sub(rf"(?<=.{{2}})(?:{_TAIL})$", "", plain)
    return Name(_CANONICAL.get(plain, plain), which)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name stands in a normalised lower-case sentence."""

    start: int
    end: int


def lowered(text: str) -> str:
    """`text` in lower case, each character for itself, so that places stay what they are."""
    if "\u0130" in text or "Σ" in text:
        return "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
    return text.lower()


@dataclass(frozen=True, slots=True)
class Spellings:
    """How a text may call a thing: whole names, and head words, which need a clean start in the text."""

    whole: tuple[str, ...]  # longest first
    heads: tuple[str, ...]


@lru_cache(maxsize=4096)
def spellings(core: str) -> Spellings:
    """All spellings of the thing with this core; none for a core of one character."""
    if len(core) < 2:
        return Spellings((), ())
    return Spellings(tuple(sorted(_ALL_NAMES.get(core, (core,)), key=len, reverse=True)), tuple(_heads(core)))


def may_stand_in(name: Name, lower: str) -> bool:
    """Whether the thing may be named in a normalised lower-case text; if not, `places` finds none in it."""
    called = spellings(name.core)
    return any(one in lower for one in called.whole) or any(one in lower for one in called.heads)


@lru_cache(maxsize=4096)
def _patterns(core: str) -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    """(spelling, its pattern, whether it is a head word)."""
    called = spellings(core)
    return (
        *((one, re.compile(_alone(one) if one.isascii() else re.escape(one)), False) for one in called.whole),
        *((one, re.compile(re.escape(one)), True) for one in called.heads),
    )


def _alone(words_: str) -> str:
    """English words as words of their own: not "payload-200", which is a model, nor "max_payload"."""
    return rf"(?<![{_LETTER}_+#/.])(?<![{_LETTER}+#]-){re.escape(words_)}(?![-_./+#]*[{_LETTER}])"


def _heads(core: str) -> list[str]:
    """Shorter names that a text may use for a long one: 密封圈疲劳寿命 is also 疲劳寿命, or 寿命 alone."""
    if core.isascii() or core in _ALL_NAMES:
        return []
    parts = {word for word in words(core) if core.endswith(word) and 2 <= len(word) < len(core)}
    longer = {
        before + part
        for part in parts
        for before in words(core)
        if core[: -len(part)].endswith(before) and len(before + part) < len(core)
    }
    return sorted((parts | longer) - _TOO_GENERAL, key=len, reverse=True)


def places(name: Name, sentence: str) -> list[Place]:
    """Where the thing is named in a normalised lower-case sentence; [] where another thing may be meant."""
    found: list[Place] = []
    for spelling, pattern, is_head in _patterns(name.core):
        if spelling not in sentence:
            continue
        if found and is_head:
            break
        for match in pattern.finditer(sentence):
            if any(place.start < match.end() and match.start() < place.end for place in found):
                continue
            before = sentence[max(0, match.start() - 8) : match.start()]
            needs_start = is_head or len(spelling) <= _SHORT or spelling in _SHARES_OF_ANYTHING
            if _is_another(name, before) or (needs_start and not _is_clean(name.core, before, is_head)):
                continue
            found.append(Place(match.start(), match.end()))
    return found


def _is_clean(core: str, before: str, is_head: bool) -> bool:
    if _NEUTRAL_BEFORE.search(before):
        return True
    if is_head or core in _OF_MANY:
        return False
    is_owner = _OWNER_BEFORE.search(before) or (
        core in _SHARES_OF_ANYTHING and _OWNER_BEFORE_SHARE.search(before)
    )
    return bool(is_owner)


def _is_another(name: Name, before: str) -> bool:
    if re.search(rf"(?:{_MAKES_ANOTHER})$", before):
        return True
    which = re.search(rf"({_WHICH})\s?$", before)
    return bool(name.which and which and which[1] != name.which)
