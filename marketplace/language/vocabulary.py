"""Word lists of the tokeniser: English stop words, unit names, and compounds that the cutter should know.

Changing one changes terms: stop words and units need a new `LANGUAGE_VERSION`, compounds a new version of
`dictionary.DEFAULT_DICTIONARY`, which holds them.
"""


def listed(text: str) -> tuple[str, ...]:
    """The names of a block of text, which are separated by spaces and line ends."""
    return tuple(text.split())


STOP_WORDS = frozenset(
    listed(
        """
        a about above after again against all also although always am among an and another any are as at
        be because been before being below between both but by can cannot could did do does doing done
        down during each either else etc even ever few for from further had has have having he hence her
        here hers him his how however i if in into is it its itself just may me might more most much
        must my neither no nor not of off often on once one only onto or other others our ours out over
        own per quite rather same shall she should since so some such than that the their theirs them
        then there thereby therefore these they this those though through thus to together too toward
        towards under until up upon us use used using very via was we well were what when where whereas
        which while who whom whose why will with within without would yet you your yours
        """
    )
)

LATIN_UNITS = listed(
    """
    mm cm dm m km um μm nm pm in inch ft mil l ml ul μl dl mg g kg t ug μg ng lb tf kgf gf n kn mn
    nm mpa kpa pa gpa hpa bar mbar psi torr w kw mw gw kwh mwh gwh wh kva mva va var v kv mv uv μv a
    ma ua μa ka ah mah hz khz mhz ghz thz ω kω mω f uf μf nf pf h mh uh μh j kj mj cal kcal db dba
    dbm k s ms us μs ns min hr hrs rpm r ppm ppb % ‰ °c ℃ ° bit bits byte bytes kb mb gb tb kbps
    mbps gbps bps px dpi fps mol mmol lm lx cd mol/l hp rad deg cst cp mpas tex dtex den gsm tops
    tflops flops phr wt vol
    """
)

HAN_UNITS = listed(
    """
    平方毫米 平方厘米 平方米 平方公里 立方厘米 立方分米 立方米 毫米 厘米 分米 微米 纳米 公里
    千米 公尺 公分 公厘 毫克 微克 千克 公斤 公吨 吨力 公斤力 毫升 微升 毫秒 微秒 纳秒
    分钟 小时 千瓦时 兆瓦时 千瓦 兆瓦 吉瓦 毫瓦 千伏 毫伏 毫安时 毫安 微安 安时 兆帕 千帕
    吉帕 千牛 牛米 牛顿 千赫 兆赫 吉赫 赫兹 分贝 摄氏度 人民币 美元 万元 亿元 万吨 万台
    万套 万件 万次 亿次 百分点 个月 季度 工作日 人次 周年 周岁 月份 米 克 吨 升 瓦 伏
    安 帕 牛 秒 分 时 天 日 月 年 周 次 个 台 套 件 元 倍 度 转 人 家 项 名 位
    种 亩 号 岁 斤 寸 支 只 条 根 片 块 层 组 辆 架 艘 批 款 类 例
    """
)

# Compounds of manufacturing that a general dictionary cuts badly; the search mode still gives their parts.
COMPOUNDS = listed(
    """
    揭榜挂帅 产学研 专精特新 链主企业 创新联合体 增材制造 注塑成型 精密铸造 压铸件 一体化压铸
    超大压铸件 半固态 挤压成形 热等静压 粉末冶金 激光熔覆 激光焊接 搅拌摩擦焊 摩擦焊 扩散焊
    钎焊 等离子喷涂 热喷涂 冷喷涂 微弧氧化 阳极氧化 化学镀 电镀液 渗碳 渗氮 淬火 回火
    时效处理 固溶处理 镁合金 铝合金 钛合金 高温合金 铝锂合金 高熵合金 硬质合金 轴承钢 齿轮钢
    弹簧钢 模具钢 硅钢 不锈钢 铸铁 球墨铸铁 稀土永磁 钕铁硼 碳纤维 玻璃纤维 芳纶 复合材料
    预浸料 环氧树脂 聚酰亚胺 聚氨酯 聚醚醚酮 气凝胶 石墨烯 碳化硅 氮化镓 氧化铝 氮化铝 氧化锆
    单晶硅 多晶硅 外延片 光刻胶 靶材 晶圆 封装基板 功率半导体 功率器件 功率模块 绝缘栅 车规级
    传感器 编码器 减速器 谐波减速器 行星减速器 滚珠丝杠 直线导轨 主轴 数控机床 加工中心
    五轴联动 机械臂 协作机器人 工业机器人 移动机器人 人形机器人 伺服电机 伺服系统 永磁同步电机
    变频器 控制器 域控制器 线控底盘 线控制动 线控转向 底盘 悬架 制动盘 制动器 变速器 差速器
    离合器 发动机 增程器 曲轴 连杆 缸体 缸盖 涡轮增压器 喷油器 摩托车 动力电池 固态电池
    钠离子电池 锂离子电池 燃料电池 电池包 电芯 隔膜 正极材料 负极材料 电解液 热管理 热失控
    储能系统 逆变器 变流器 充电桩 光伏组件 风电机组 双极板 电解槽 电堆 液晶面板 显示面板
    背光模块 微发光二极管 毫米波雷达 激光雷达 自动驾驶 智能座舱 车联网 数字孪生 机器视觉
    边缘计算 云计算 知识图谱 大模型 神经网络 可靠性 良品率 疲劳寿命 抗拉强度 屈服强度 延伸率
    断裂韧性 表面粗糙度 定位精度 重复定位精度 盐雾试验 耐腐蚀 耐磨性 耐高温 阻燃 轻量化 冷链
    预制菜 榨菜 柑橘 发酵罐 合成生物 重组蛋白 单克隆抗体 原料药 医疗器械 体外诊断 卫星载荷
    相控阵 星载 低轨卫星
    """
)
