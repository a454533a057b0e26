"""Every sentence of the LAN page, in Chinese and English."""

from collections.abc import Mapping

from home_agent import consent_words

LANGUAGES = {"zh": "zh-CN", "en": "en"}
COOKIE = "lang"

ZH: Mapping[str, str] = {
    "title": "家庭页面",
    "other": "English",
    "code": "家庭密码",
    "code_hint": "八位，在本机运行 home-agent code 可换新的",
    "sign_in": "登录",
    "sign_out": "退出",
    "wrong_code": "密码不对。",
    "too_many": "错误次数太多，请十分钟后再试。",
    "switch": "隐私开关",
    "is_on": "已打开：村里的平台可以请求画面，由你家的许可决定。",
    "is_off": "已关闭：没有任何画面离开家。在家里的网络上，这个页面仍然可以看。",
    "turn_off": "关闭",
    "turn_on": "打开",
    "cameras": "摄像机",
    "none": "还没有设置摄像机。",
    "play": "看实时画面",
    "stop": "停止",
    "live": "实时画面",
    "still": "静态画面",
    "waiting": "正在连接……",
    "trouble": "没有画面",
    "watched": "现在谁在通过村里的平台看",
    "nobody": "现在没有人在看。",
    "outside": "家庭以外的人",
    "household": "家里人",
    "since": "开始于",
    "hub": "村里的平台：",
    "connected": "已连接",
    "not_connected": "没有连接",
    "failed": "没有成功，请再试一次。",
    "no_route": "找不到摄像机",
    "refused": "摄像机不接受连接",
    "wrong_password": "摄像机的密码不对",
    "default_password": "摄像机还在用出厂密码，请先更换",
    "no_stream": "摄像机没有这个画面",
    "h265_only": "摄像机只给 H.265",
    "unsupported_codec": "摄像机的编码不能用",
    "b_frames": "摄像机用了 B 帧，画面可能不顺",
    "no_keyframes": "摄像机很久没有关键帧",
    "stalled": "摄像机停住了",
    "clock_skew": "摄像机的时间不对",
    "protocol": "和摄像机通信出错",
    "connecting": "正在连接摄像机",
    "alarm_input": "报警输入",
    "alarm_deaf": "听不到！现在按它不会求助。",
    "alarm_waiting": "正在确认……",
    "alarm_unknown": "摄像机没有报告过它：现在按它可能不会求助。",
    "alarm_unreadable": "看不懂摄像机的报告：现在按它可能不会求助。",
    "alarm_quiet": "已接通，没有人求助",
    "alarm_alarm": "已接通，正处在报警状态",
}
EN: Mapping[str, str] = {
    "title": "Household page",
    "other": "中文",
    "code": "The household's code",
    "code_hint": "Eight characters; home-agent code on this box makes a new one",
    "sign_in": "Sign in",
    "sign_out": "Sign out",
    "wrong_code": "This is not the code.",
    "too_many": "Too many wrong codes: try again in ten minutes.",
    "switch": "Privacy switch",
    "is_on": "On: the village's hub may ask for pictures, as far as your household permits.",
    "is_off": "Off: no picture leaves the home. On your own network this page still plays.",
    "turn_off": "Turn off",
    "turn_on": "Turn on",
    "cameras": "Cameras",
    "none": "No camera is set up yet.",
    "play": "Watch live",
    "stop": "Stop",
    "live": "Live picture",
    "still": "Still picture",
    "waiting": "Connecting ...",
    "trouble": "No picture",
    "watched": "Who is watching through the village's hub now",
    "nobody": "Nobody is watching.",
    "outside": "somebody outside the household",
    "household": "the household",
    "since": "since",
    "hub": "The village's hub:",
    "connected": "connected",
    "not_connected": "not connected",
    "failed": "That did not work: try again.",
    "no_route": "The camera is not found",
    "refused": "The camera takes no connection",
    "wrong_password": "The camera's password is wrong",
    "default_password": "The camera still has its maker's password: change it first",
    "no_stream": "The camera has no such picture",
    "h265_only": "The camera gives H.265 only",
    "unsupported_codec": "The camera's coding cannot be used",
    "b_frames": "The camera sends B-frames: the picture may stutter",
    "no_keyframes": "The camera sends keyframes too rarely",
    "stalled": "The camera has stalled",
    "clock_skew": "The camera's clock is wrong",
    "protocol": "Talking to the camera failed",
    "connecting": "Connecting to the camera",
    "alarm_input": "Alarm input",
    "alarm_deaf": "NOT HEARD! Pressing it calls nobody now.",
    "alarm_waiting": "Connecting ...",
    "alarm_unknown": "The camera has told nothing of it: pressing it may call nobody.",
    "alarm_unreadable": "The camera's word makes no sense: pressing it may call nobody.",
    "alarm_quiet": "heard, nobody calls",
    "alarm_alarm": "heard, in the alarm state",
}
ZH = {**ZH, **consent_words.ZH}
EN = {**EN, **consent_words.EN}
WORDS = {"zh": ZH, "en": EN}


def choose(cookie: str | None, accept: str) -> str:
    """The language for a browser: its owner's choice, else what it asks for first, else Chinese."""
    if cookie in WORDS:
        return str(cookie)
    for part in accept.split(","):
        language = part.strip().lower()[:2]
        if language in WORDS:
            return language
    return "en" if accept.strip() else "zh"
