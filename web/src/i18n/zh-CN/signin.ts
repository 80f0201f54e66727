import type { signin as en } from '../en/signin';
import type { Same } from '../message';

export const signin: Same<typeof en> = {
  'signin.title': '登录',
  'signin.titleFor': '以 {user} 登录',
  'signin.token': '令牌',
  'signin.tokenMissing': '请输入令牌。',
  'signin.wrong': '此令牌无效：错误、已过期或已被收回。',
  'signin.hint': '请使用您的令牌，或打开一次性登录链接。在服务器本机上可用 {command} 生成令牌。',
  'signin.fresh': '此服务器尚无人可以登录。它在启动时输出了一个一次性登录链接：请打开该链接。',
  'signin.first': '此链接将使您成为本服务器的管理员。',
  'signin.name': '您的用户名',
  'signin.nameMissing': '请输入您要使用的用户名。',
  'signin.once': '链接只能使用一次：点击按钮即使用。',
  'signin.spent': '此链接已失效',
  'signin.spent.text': '登录链接只能使用一次，且有效期很短。此链接已被使用或已过期。',
  'signin.withToken': '使用令牌登录',
  'signin.out': '正在退出…',
  'signin.outFailed': '您仍处于登录状态。',
};
