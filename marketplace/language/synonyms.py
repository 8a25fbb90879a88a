"""Names for one thing in manufacturing: one group a line, the canonical name first.

Here: names that an engineer would put for each other in any text. Not here: a kind for its genus
(滚珠轴承 is no other name of 轴承), words with a second sense, and the other side's spelling (`taiwan`).
What a group is worth in a score is said by the weights (`matching.engine.weights`).
"""


def _groups(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(line.split("、")) for line in text.split())


# No name has a space in this block; those that need one are listed below it.
_ONE_WORD = """
轴承、培林
焊接、熔接
减速器、齿轮减速箱
增材制造、3D打印、三维打印
数控机床、CNC机床、数控机械
滚珠丝杠、滚珠丝杆
直线导轨、线轨
可编程控制器、PLC、可编程逻辑控制器
电池管理系统、BMS
自动导引车、AGV、无人搬运车、自动导引运输车
发光二极管、LED
聚醚醚酮、PEEK
聚酰亚胺、PI膜
绝缘栅双极型晶体管、IGBT
印制电路板、PCB、印刷电路板、线路板
有限元、FEM、FEA、有限单元法
机器视觉、视觉检测
热等静压、HIP处理
公差、容许误差
良品率、良率、合格率
"""

_WITH_SPACES = (
    ("工业互联网", "工业物联网", "IIoT", "industrial internet"),
    ("数字孪生", "数字双胞胎", "digital twin"),
)

SYNONYMS = _groups(_ONE_WORD) + _WITH_SPACES
