"""Korean, as courses on convolutional networks say it.

The keys are the English texts as the code writes them. Numbers stand where no particle follows
that would have to change with their last digit; the units of an axis (행, 열, 칸, 장) all end in a
consonant and take the same ones. A noun that is counted carries ``{count}``.
"""

from cnnviz.language.descriptions import SENTENCES
from cnnviz.language.titles import TITLES

# Rows of a layer's working, and of a chain's totals.
_NAMES = {
    "length": "길이",
    "depth": "깊이",
    "height": "높이",
    "width": "너비",
    "channels": "채널",
    "output": "출력",
    "input": "입력",
    "layer": "층",
    "params": "파라미터",
    "MACs": "MAC",
    "total": "합계",
    "parameters": "파라미터",
    "multiply-adds": "곱셈-덧셈",
    "receptive field": "수용 영역",
    "never read": "읽지 않음",
    "memory": "메모리",
    "checked": "확인",
    "figure": "그림",
    "whole input": "입력 전체",
    "not computed": "계산하지 않음",
    "all": "전체",
}

_UNITS = {
    "positions": "칸",
    "slices": "장",
    "rows": "행",
    "columns": "열",
}

_COUNTED = {
    "weight": "가중치 {count}개",
    "bias": "편향 {count}개",
    "scale": "배율 {count}개",
    "shift": "이동값 {count}개",
    "mean": "평균 {count}개",
    "variance": "분산 {count}개",
    "buffer": "버퍼 {count}개",
    "feature": "특징 {count}개",
    "row": "{count}행",
    "value": "값 {count}개",
}

_WINDOWS = {
    "{size} {unit} and {padding} of padding are {of}; ": "{size}{unit} + 패딩 {padding} = {of}; ",
    "{size} {unit}": "{size}{unit}",
    "the window spans {span} of {of}, so it can move on by {room}: {steps} steps of {stride};"
    " with the start {steps} + 1 = {total} → {count}": "윈도우는 {of} 중 {span}{unit}을 덮으므로"
    " {room}{unit}만큼 더 움직일 수 있음: {stride}{unit}씩 {steps}걸음;"
    " 시작 위치를 더해 {steps} + 1 = {total} → {count}",
    ", rounded up": " (올림)",
    ", rounded down": " (버림)",
    "; the last window hangs over the end by {more}": "; 마지막 윈도우는 끝을 {more}{unit}만큼"
    " 벗어남",
    "; left over at the end: {rest} of padding": "; 끝에 남는 패딩: {rest}{unit}",
    "; {unit} left over at the end: {rest}": "; 끝에 남는 {unit}: {rest}",
    ", {padding} of it padding": " (그중 패딩 {padding})",
    ", less 1 because the last window would start beyond the input: {count}": ", 마지막 윈도우가"
    " 입력 밖에서 시작하게 되므로 1을 뺌: {count}",
    "{size} copies of the kernel, {stride} {unit} apart, each spanning {span}: ": "커널 복사본"
    " {size}개, 간격 {stride}{unit}, 각각 {span}{unit}을 덮음: ",
    "; padding cuts {padding} off both ends": "; 패딩으로 양 끝에서 {padding}{unit}씩 잘라 냄",
    "; output padding adds {padding} at the far end": "; 출력 패딩으로 뒤쪽 끝에 {padding}{unit}을"
    " 덧붙임",
    "1: one window over all {n}": "1: 윈도우 하나가 {n} 전체를 덮음",
    "{m}: window i is floor(i*{n}/{m}) to ceil((i + 1)*{n}/{m})": "{m}: 윈도우 i는"
    " floor(i*{n}/{m})부터 ceil((i + 1)*{n}/{m})까지",
    "all {size} {unit} → 1": "{size}{unit} 전체 → 1",
    "{size} {unit} shared among {windows} windows, which overlap where they must": "{size}{unit}을"
    " 윈도우 {windows}개가 나누어 맡으며, 필요한 곳에서는 서로 겹침",
    "{size} {unit} shared among {windows} windows: {each} each": "{size}{unit}을 윈도우"
    " {windows}개가 나누어 맡음: {each}{unit}씩",
    "each of {size} {unit} {scale} times → {count}": "{size}{unit}을 각각 {scale}번씩 반복 →"
    " {count}",
    "{scale} for each of {size} {unit}, weighted from the {taps} nearest → {count}": "{size}{unit}"
    " 각각에 {scale}개씩, 가장 가까운 {taps}개를 가중 평균 → {count}",
    "{both} at both ends": "양 끝에 {both}",
    "{before} before, {after} after": "앞에 {before}, 뒤에 {after}",
    "{size} {unit} and {where} → {count}": "{size}{unit}, {where} → {count}",
    "never read by this layer: {lost} of {size} {unit}": "이 층이 읽지 않음: {size}{unit} 중"
    " {lost}{unit}",
    "{lost} of {size} {unit}": "{size}{unit} 중 {lost}{unit}",
}

_LAYERS = {
    "{given} in{note}, {made} out": "입력 {given}개{note}, 출력 {made}개",
    " (SIZE names none)": " (SIZE에 적히지 않음)",
    "as torchvision counts: without bias": "torchvision의 방식: 편향은 세지 않음",
    "as torchvision counts: without bias and normalisation": "torchvision의 방식: 편향과 정규화는"
    " 세지 않음",
    "0 (torchvision counts convolutions and linear layers)": "0 (torchvision은 합성곱 층과 완전"
    " 연결 층만 셈)",
    "{macs} = {weights} * {positions} positions": "{macs} = {weights} * 위치 {positions}곳",
    "{total}: depthwise {depthwise}; 1x1 {pointwise}": "{total}: 깊이별 {depthwise}; 1x1"
    " {pointwise}",
    "; {buffers} buffers = {means} + {variances} + a counter": "; 버퍼 {buffers}개 = {means} +"
    " {variances} + 카운터",
    "{sizes} = {product} features": "{sizes} = 특징 {product}개",
    "{features} for each of {rows}; put flatten before it to read all of them at once": "{rows}"
    " 각각에 {features}; 한꺼번에 읽으려면 앞에 flatten을 넣으세요",
    "{terms} = {channels} channels": "{terms} = 채널 {channels}개",
    "{old} + {dilated}({kernel_size} - 1)*{stride} = {new}: what it was, and {more} taps more,"
    " {apart} px of the first input apart": "{old} + {dilated}({kernel_size} - 1)*{stride} = {new}:"
    " 이전 영역에 첫 입력 기준 {apart}픽셀 간격의 탭 {more}개가 더해짐",
    "the layer": "이 층",
    "all {count} layers": "모든 층({count}개)",
    "sizes, parameters and buffers of {layers} are those of torch {version}": "{layers}의 크기,"
    " 파라미터, 버퍼가 torch {version}의 것과 같음",
    "layer {position}, {text}: ": "{position}번 층, {text}: ",
    "; {buffers} beside them": "; 그 밖에 {buffers}",
    "{whole}; up to layer {position} ({text}) {grid}": "{whole}; {position}번 층({text})까지"
    " {grid}",
    "{field}, stride {stride}, padding {padding}": "{field}, 스트라이드 {stride}, 패딩 {padding}",
    "{flops} = 2 * {macs} multiply-adds": "{flops} = 2 * 곱셈-덧셈 {macs}번",
    "{kept} of parameters and buffers, {outputs} of outputs; at most {peak} of input and"
    " outputs at once ({dtype}, batch {batch})": "파라미터와 버퍼 {kept}, 출력 {outputs};"
    " 입력과 출력을 동시에 최대 {peak} ({dtype}, 배치 {batch})",
}

_FIGURES = {
    "identity": "항등",
    "{params} parameters, {macs} multiply-adds": "파라미터 {params}개, 곱셈-덧셈 {macs}번",
    ", receptive field {field}": ", 수용 영역 {field}",
    "Results are shown as |x|, cut off at white": "결과는 |x|로 표시, 흰색에서 자름",
    "Results are shown cut off at black and at white": "결과는 검정과 흰색에서 잘라 표시",
    "Results are shown with 0 at mid gray, cut off at black and at white": "결과는 0을 중간"
    " 회색으로 표시, 검정과 흰색에서 자름",
    "Results are shown stretched: the smallest is black, the largest white": "결과는 늘려서 표시:"
    " 가장 작은 값은 검정, 가장 큰 값은 흰색",
    "red": "빨강",
    "green": "초록",
    "blue": "파랑",
    "gray": "흑백",
    "none finite": "유한한 값 없음",
    "{low} to {high}": "{low} ~ {high}",
    "all {value}": "모두 {value}",
    "{colors}, {bits}-bit": "{colors}, {bits}비트",
    "largest {largest}, bound {bound}": "최대 {largest}, 한계 {bound}",
    " (exact)": " (정확)",
    "the engines disagree at row {row}, column {column}": "두 엔진이 {row}행 {column}열에서 서로"
    " 다름",
    "{count} kernels": "커널 {count}개",
    "and {count} more": "외 {count}개",
    "input {size}": "입력 {size}",
    "values {extent}": "값 {extent}",
    "not verified: {engine} alone": "검증하지 않음: {engine}만 사용",
    "weights sum to {sum}": "가중치 합 {sum}",
    "not separable": "분리할 수 없음",
    "separable: rank 1": "분리 가능: 랭크 1",
    "separable: ({column})ᵀ × ({row})": "분리 가능: ({column})ᵀ × ({row})",
    ", shown rounded": ", 반올림하여 표시",
    "not verified:": "검증하지 않음:",
    "every window": "모든 윈도우에",
    "holds NaN or Inf": "NaN이나 Inf가 있음",
    "identical": "일치",
    "on {count}": "{count}",
    "within the bound on {count}": "{count} 모두 한계 이내",
    "Magnitude √({sum})": "기울기 크기 √({sum})",
    " and ": ", ",
    "Sizes are rows × columns": "크기는 행 × 열",
    "in a cell: red, green, blue": "칸 안의 수: 빨강, 초록, 파랑",
    "numbers in cells are rounded": "칸 안의 수는 반올림한 값",
    "red: NaN or Inf": "빨간색: NaN 또는 Inf",
    "gray: left out of the comparison, {count}": "회색: 비교에서 제외, {count}",
    "a dot of the difference: the largest of up to {step}×{step} pixels": "차이의 점 하나: 최대"
    " {step}×{step}픽셀 중 가장 큰 값",
    "border": "테두리",
    "padding": "패딩",
    "stride": "스트라이드",
    "dilation": "팽창",
    "kernel": "커널",
    "turned by 180° (true convolution)": "180° 회전 (진짜 합성곱)",
    "standard input": "표준 입력",
}

# cnnviz step. Rows and columns are counted from 0, as positions on the command line are.
_STEPS = {
    "channel {number}": "채널 {number}",
    ", on each channel": ", 채널마다 같음",
    "rows and columns of the output: {told}": "출력의 행과 열: {told}",
    "rows of the output:    {told}": "출력의 행: {told}",
    "columns of the output: {told}": "출력의 열: {told}",
    "row {row}, column {column}": "행 {row}, 열 {column}",
    " ({padded} of {count} pixels are padding)": " ({count}픽셀 중 {padded}개는 패딩)",
    "  no copy of the kernel reaches here: 0": "  여기에 닿는 커널 복사본이 없음: 0",
    " (bias)": " (편향)",
    "map {number}": "맵 {number}",
    "output {number}": "출력 {number}",
    "output of the convolution, {size}": "합성곱의 출력, {size}",
    "output of the transposed convolution, {size}": "전치 합성곱의 출력, {size}",
    "  … and {count} more windows": "  … 외 윈도우 {count}개",
    "{shown} of {total} windows; --windows all shows all, --position ROW,COL one": "윈도우"
    " {total}개 중 {shown}개; 모두 보려면 --windows all, 하나만 보려면 --position ROW,COL",
    "answers": "정답",
    "… stands for what is left out; --json has it all": "…은 생략된 부분; 전체는 --json에 있음",
    "{least} to {most} times": "{least}~{most}번",
    "; {count} of {all} never (.)": "; {all}개 중 {count}개는 한 번도 읽지 않음 (.)",
    ", stride {stride}": ", 스트라이드 {stride}",
    ", dilation {dilation}": ", 팽창 {dilation}",
    "stride {stride}": "스트라이드 {stride}",
    "dilation {dilation}": "팽창 {dilation}",
    "stride {stride}, then {layers}": "스트라이드 {stride}, 그다음 {layers}",
    "kernel {kernel}, stride {stride}": "커널 {kernel}, 스트라이드 {stride}",
    "how often a {kernel} kernel{further} reads each pixel": "{kernel} 커널{further}: 각 픽셀을"
    " 읽는 횟수",
    "{layers} layers": "{layers}개 층",
    "a layer": "한 층",
    "how often one output of {what} of {kernel} kernels reads each pixel": "{kernel} 커널 {what}의"
    " 출력 하나가 각 픽셀을 읽는 횟수",
    "copies of the kernel that each output pixel of a transposed convolution adds up": "전치"
    " 합성곱의 출력 픽셀마다 더해지는 커널 복사본의 수",
    "without padding": "패딩 없음",
    "with padding": "패딩 있음",
    "padding {padding}": "패딩 {padding}",
    "the input moves {way}; zeros come in": "입력을 {way} 옮김; 빈자리는 영으로 채움",
    "before": "옮기기 전",
    "after": "옮긴 뒤",
    "{rows} down": "아래로 {rows}",
    "{columns} to the right": "오른쪽으로 {columns}",
    "column": "{count}열",
    "the move is {steps} of a step: no moved map; {same} of {compared} values stayed what they"
    " were": "이동은 한 걸음의 {steps}: 옮겨진 맵이 나오지 않음; 값 {compared}개 중 {same}개가"
    " 그대로임",
    "compared in place: {same} of {compared} values stayed what they were": "제자리에서 비교: 값"
    " {compared}개 중 {same}개가 그대로임",
    "the same map, moved {way}: {same} of {compared} values that stayed inside are equal": "같은"
    " 맵이 {way} 옮겨짐: 안에 남은 값 {compared}개 중 {same}개가 같음",
    "moved {way}, {same} of {compared} values that stayed inside are equal; the others lie at the"
    " edge": "{way} 옮겼을 때 안에 남은 값 {compared}개 중 {same}개가 같음; 나머지는 가장자리에"
    " 있음",
}

_SLIDES = {
    "{size} kernel": "{size} 커널",
    "transposed": "전치",
    "kernels": "커널",
    "on channel {number}": "채널 {number}용",
    "products": "곱",
    "maps": "맵",
    "convolution": "합성곱",
    "{layer}: weights {weights}; bias {bias}": "{layer}: 가중치 {weights}; 편향 {bias}",
    "the input moves {way}": "입력을 {way} 옮김",
    "{count} products add up": "곱 {count}개의 합",
    "the sums of the channels: {sums}": "채널별 합: {sums}",
    "rows {top} to {low}, columns {left} to {right}": "행 {top}~{low}, 열 {left}~{right}",
    "{file}, around row {row}, column {column}": "{file}, 행 {row}, 열 {column} 주변",
    "{size}, {count} frames, {kib}": "{size}, {count}프레임, {kib}",
    "of each the smallest value is black, the largest white": "저마다 가장 작은 값은 검정, 가장 큰"
    " 값은 흰색",
    "of each map the smallest value is black, the largest white": "맵마다 가장 작은 값은 검정, 가장"
    " 큰 값은 흰색",
    "the darker, the more often": "진할수록 자주 읽음",
    "; red: never": "; 빨간색: 한 번도 읽지 않음",
    "red: differs": "빨간색: 다름",
}

_RESULTS = {
    "done before": "이미 처리됨",
    "display: {name}": "표시: {name}",
    "display: {name} of {low} to {high}": "표시: {name}, 값 {low} ~ {high}",
    "raw": "원시값",
    "not verified: every window holds NaN or Inf": "검증하지 않음: 모든 윈도우에 NaN이나 Inf가"
    " 있음",
    "verified: identical on {values}": "검증: {values} 일치",
    "verified: within {largest} on {values}": "검증: {values}의 차이 {largest} 이하",
    " (bound {bound})": " (한계 {bound})",
    ", {count} left out (their window holds NaN or Inf)": ", {count}개 제외 (윈도우에 NaN이나 Inf가"
    " 있음)",
    "Maximum pooling": "최대 풀링",
    "Average pooling": "평균 풀링",
    "Minimum pooling": "최소 풀링",
    "L{p} pooling": "L{p} 풀링",
    "Global maximum pooling": "전역 최대 풀링",
    "Global average pooling": "전역 평균 풀링",
    "Global minimum pooling": "전역 최소 풀링",
    "{count} more maps add {rest}; --windows all shows them": "나머지 맵 {count}개의 합은 {rest};"
    " 모두 보려면 --windows all",
    " + bias {bias}": " + 편향 {bias}",
    "the layer put out {value}: off by {off}, and float32 rounding allows {bound}": "층이 낸 값은"
    " {value}: 차이 {off}, float32 반올림으로 생길 수 있는 차이는 {bound}까지",
}

# Kernels: what can be seen from their weights, and their sheets.
_KERNELS = {
    "left and right": "좌우",
    "up and down": "상하",
    "rows and columns": "대각선",
    ", or ": "·",
    "same with {names} exchanged": "{names} 대칭",
    "negated with {names} exchanged": "{names} 반대칭(부호가 바뀜)",
    "same when turned by 180 degrees": "180도 돌려도 같음",
    "negated when turned by 180 degrees": "180도 돌리면 부호가 바뀜",
    "none": "없음",
    "no": "불가능",
    "no, rank {count}": "불가능, 랭크 {count}",
    "yes, rank 1": "가능, 랭크 1",
    "column ({column}) × row ({row})": "열 ({column}) × 행 ({row})",
    "about column ({column}) × row ({row})": "약 열 ({column}) × 행 ({row})",
    "sum {sum}": "합 {sum}",
    "sum: {text}": "합: {text}",
    "symmetry: {text}": "대칭: {text}",
    "separable: {text}": "분리: {text}",
    "{name}: weights": "{name}: 가중치",
    "frequency response |H|": "주파수 응답 |H|",
    "a vertical edge": "세로 에지",
    "a vertical line": "세로선",
    "a horizontal edge": "가로 에지",
    "a horizontal line": "가로선",
    "a dot": "점",
    "Frequencies are in cycles per pixel, down and across; the middle is a flat image": "주파수는"
    " 픽셀당 주기(세로, 가로); 가운데는 평평한 이미지",
    "answers: red above 0, blue below, all in one scale": "응답: 0보다 크면 빨간색, 작으면 파란색,"
    " 모두 같은 척도",
    "a dot answers with the kernel turned by 180°": "점의 응답은 180° 회전한 커널",
    "{count} more kernels are not shown": "커널 {count}개는 생략",
    "without the offset": "오프셋은 제외",
    "{count} kernels on {image}": "{image}에 커널 {count}개 적용",
    "a drawn picture": "예시 그림",
    "|x|: results of both signs are shown without, each stretched by itself": "|x|: 양수와 음수가"
    " 있는 결과는 부호를 빼고 저마다 늘려서 표시",
    "each picture is {size}, verified by OpenCV and torch": "그림마다 {size}, OpenCV와 torch로"
    " 검증",
}

# Borders and depths, explained.
_TRAPS = {
    "with each border": "테두리 처리별 결과",
    "in floating point and in the image's own depth": "부동소수점과 이미지의 비트 깊이로 계산한"
    " 결과",
    "at {row},{column}": "{row},{column}의 값",
    "pixels that differ": "다른 픽셀",
    "largest difference": "가장 큰 차이",
    "compared with:": "비교 기준",
    "{count} of {all}": "{all}개 중 {count}개",
    ", within {reach} px of the edge": ", 가장자리에서 {reach}픽셀 이내",
    "x is another value than {name}'s": "x는 {name}의 값과 다름",
    "float": "부동소수점",
    "float, zeros around (Conv2d's padding)": "부동소수점, 둘레는 영 (Conv2d의 패딩)",
    "{bits}-bit, cut off at 0 and {most}": "{bits}비트, 0과 {most}에서 잘라 냄",
    "{bits}-bit, wrapped around": "{bits}비트, 넘치면 되돌아감",
    "channels cut off at 0 and {most}, then added": "채널마다 0과 {most}에서 잘라 낸 뒤 더함",
    "channels cut off at 0 and {most}, added in {bits} bits, which wrap": "채널마다 0과 {most}에서"
    " 잘라 낸 뒤, {bits}비트로 더해 넘치면 되돌아감",
    "{count} of {all} pixels differ": "픽셀 {all}개 중 {count}개가 다름",
    "All results are shown in one scale, the smallest value black, the largest white": "모든 결과를"
    " 같은 척도로 표시, 가장 작은 값은 검정, 가장 큰 값은 흰색",
    "upper row: rows {top} to {low}, columns {left} to {right}": "윗줄: 행 {top}~{low}, 열"
    " {left}~{right}",
    "red: differs from {name}": "빨간색: {name}의 값과 다름",
}

TEXTS = (
    _NAMES
    | _UNITS
    | _COUNTED
    | _WINDOWS
    | _LAYERS
    | _FIGURES
    | _STEPS
    | _SLIDES
    | _RESULTS
    | _KERNELS
    | _TRAPS
)
_ALL = "".join([*TEXTS.values(), *TITLES.values(), *SENTENCES.values()])
LETTERS = "".join(sorted({char for char in _ALL if "가" <= char <= "힣"}))
