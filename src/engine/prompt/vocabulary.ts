// The words the engine knows, in English, Chinese and Japanese. Latin words match whole, so that "knight"
// is no "night"; others match anywhere.

export type Subject = 'bottle' | 'ball' | 'box' | 'cup' | 'apple';
export type Setting = 'poster' | 'landscape';

export const SUBJECTS: Readonly<Record<Subject, readonly string[]>> = {
  bottle: [
    'perfume',
    'bottle',
    'bottles',
    'flask',
    'fragrance',
    'cologne',
    '香水',
    '瓶',
    'ボトル',
    'びん',
  ],
  apple: ['apple', 'apples', '蘋果', '苹果', 'りんご', 'リンゴ'],
  cup: ['cup', 'mug', 'coffee', 'tea', 'teacup', '杯', '咖啡', '茶', 'カップ', 'コーヒー'],
  box: ['box', 'cube', 'gift', 'package', 'dice', '盒', '箱', '立方體', '立方体', '禮物', '礼物'],
  ball: [
    'ball',
    'sphere',
    'globe',
    'marble ball',
    'bubble',
    'orb',
    'planet',
    '球',
    '球體',
    '球体',
    '行星',
    'ボール',
  ],
};

export const SETTINGS: Readonly<Record<Setting, readonly string[]>> = {
  poster: [
    'poster',
    'logo',
    'typography',
    'lettering',
    'icon',
    'banner',
    'sign',
    'card',
    'cover',
    'sticker',
    'title',
    '海報',
    '海报',
    '標誌',
    '标志',
    '商標',
    '字體',
    '字体',
    '橫幅',
    '横幅',
    '卡片',
    'ポスター',
    'ロゴ',
  ],
  landscape: [
    'landscape',
    'mountain',
    'mountains',
    'sunset',
    'sunrise',
    'horizon',
    'sea',
    'ocean',
    'lake',
    'hills',
    'valley',
    'desert',
    'beach',
    'sky',
    '風景',
    '风景',
    '山',
    '海',
    '湖',
    '日落',
    '夕陽',
    '夕阳',
    '日出',
    '天空',
    '景色',
  ],
};

/** Linear light. */
export const COLORS: readonly (readonly [readonly string[], readonly [number, number, number]])[] =
  [
    [
      ['red', 'crimson', 'scarlet', '紅', '红', '赤'],
      [0.62, 0.02, 0.02],
    ],
    [
      ['orange', '橙', '橘', 'オレンジ'],
      [0.85, 0.25, 0.02],
    ],
    [
      ['yellow', '黃', '黄'],
      [0.85, 0.62, 0.04],
    ],
    [
      ['green', 'emerald', '綠', '绿', '緑'],
      [0.03, 0.32, 0.06],
    ],
    [
      ['teal', 'turquoise', 'cyan', '青'],
      [0.02, 0.38, 0.38],
    ],
    [
      ['blue', 'navy', 'azure', '藍', '蓝'],
      [0.03, 0.1, 0.6],
    ],
    [
      ['purple', 'violet', '紫'],
      [0.22, 0.03, 0.4],
    ],
    [
      ['pink', 'rose', '粉'],
      [0.8, 0.22, 0.33],
    ],
    [
      ['brown', 'chocolate', '棕', '褐'],
      [0.2, 0.08, 0.03],
    ],
    [
      ['black', '黑', '黒'],
      [0.015, 0.015, 0.018],
    ],
    [
      ['white', '白'],
      [0.85, 0.85, 0.84],
    ],
    [
      ['grey', 'gray', 'silver', '灰', '銀', '银'],
      [0.4, 0.4, 0.42],
    ],
  ];

/** Words about the picture rather than in it: they are neither drawn nor missed. */
export const PLAIN_WORDS = new Set(
  `a an the and or of on in at with without to for from by as is are be it its this that these those into over
  under near behind front top bottom left right center centre middle one two three four some any no not very
  photo photograph product picture image shot render rendering illustration drawing painting studio lighting
  light lights soft hard background backdrop transparent surface table wooden wood marble glass metal label
  reads reading says saying text word words letter letters lettering font serif sans bold italic gold golden
  large small big tiny high low quality detailed realistic photorealistic beautiful simple minimal minimalist
  clean modern elegant style color colour colors colours colored coloured view angle close up closeup
  please make draw create generate show add change remove set style scene standing sitting lying placed resting
  size ratio resolution png webp jpeg hd 4k 2k 1k 8k cinematic dramatic warm cool bright dark natural`.split(
    /\s+/,
  ),
);
