"""What the kernels that ship do, in Korean, sentence by sentence."""

SIDES = {
    "to the right": ("오른쪽", "west", "서쪽"),
    "to the left": ("왼쪽", "east", "동쪽"),
    "above": ("위", "south", "남쪽"),
    "below": ("아래", "north", "북쪽"),
    "to the upper right": ("오른쪽 위", "south-west", "남서쪽"),
    "to the upper left": ("왼쪽 위", "south-east", "남동쪽"),
    "to the lower right": ("오른쪽 아래", "north-west", "북서쪽"),
    "to the lower left": ("왼쪽 아래", "north-east", "북동쪽"),
}
_COMPASSES = {
    f"Positive on an edge whose brighter side is {side}; the weights sum to 0.": f"밝은 쪽이"
    f" {korean}에 있는 에지에서 양수이고, 가중치의 합은 0이다."
    for side, (korean, _, _) in SIDES.items()
} | {
    f"It is the negative of the {other} kernel, so four of the eight are enough.": f"{korean}"
    " 커널의 부호를 바꾼 것이므로, 여덟 개 중 네 개면 충분하다."
    for _, other, korean in SIDES.values()
}
_SUMS = {
    f"The weights divided by {divisor} sum to 1, so {kept}.": f"가중치를 {divisor}로 나눈 값의 합이"
    f" 1이므로 {korean}."
    for kept, korean, divisors in (
        ("brightness is kept", "밝기가 유지된다", (9, 25)),
        ("flat areas do not change", "평평한 곳은 변하지 않는다", (9,)),
    )
    for divisor in divisors
} | {
    f"The weights divided by {divisor} sum to 1, so {kept}.": f"가중치를 {divisor}으로 나눈 값의"
    " 합이"
    f" 1이므로 {korean}."
    for kept, korean, divisors in (
        ("brightness is kept", "밝기가 유지된다", (16, 256, 273)),
        ("flat areas do not change", "평평한 곳은 변하지 않는다", (256,)),
    )
    for divisor in divisors
}
_LINES = {
    f"Positive on bright lines one pixel thick that run from {start} to {end}, negative on dark"
    " ones.": f"{korean} 이어지는 한 픽셀 두께의 밝은 선에서 양수, 어두운 선에서 음수이다."
    for start, end, korean in (
        ("upper left", "lower right", "왼쪽 위에서 오른쪽 아래로"),
        ("lower left", "upper right", "왼쪽 아래에서 오른쪽 위로"),
    )
} | {
    f"Positive on bright {way} lines one pixel thick, negative on dark ones.": "한 픽셀 두께의 밝은"
    f" {korean}에서 양수, 어두운 {korean}에서 음수이다."
    for way, korean in (("horizontal", "가로선"), ("vertical", "세로선"))
}
_GRADIENTS = {
    f"How steep the image is, in any direction: the length of ({name}_x, {name}_y).": "방향에"
    f" 관계없이 이미지가 얼마나 가파른지를 나타낸다. 곧 ({name}_x, {name}_y)의 길이이다."
    for name in ("prewitt", "scharr", "sobel")
} | {
    "How steep the image is, in any direction: the length of (roberts_x, roberts_y), the two"
    " diagonals of 2x2 pixels.": "방향에 관계없이 이미지가 얼마나 가파른지를 나타낸다. 곧 2x2픽셀의"
    " 두 대각선인 (roberts_x, roberts_y)의 길이이다.",
    "How steep the image is, nearly alike in every direction: the length of (farid_x, farid_y).": (
        "이미지가 얼마나 가파른지를 모든 방향에서 거의 고르게 나타낸다. 곧 (farid_x, farid_y)의"
        " 길이이다."
    ),
    "Responds to vertical edges: positive where the image gets brighter to the right.": "세로"
    " 에지에"
    " 반응하며, 오른쪽으로 밝아지는 곳에서 양수이다.",
    "Responds to horizontal edges: positive where the image gets brighter downwards.": "가로 에지에"
    " 반응하며, 아래쪽으로 밝아지는 곳에서 양수이다.",
    "The smoothing and the derivative are designed as a pair, so that slopes are measured nearly"
    " alike in every direction.": "평활화와 미분을 한 쌍으로 설계하여, 기울기가 모든 방향에서 거의"
    " 고르게 측정된다.",
    "With the square root of 2 in the middle, upright and diagonal edges get the same gradient"
    " length.": "가운데에 2의 제곱근이 있어, 수직·수평 에지와 대각선 에지의 기울기 크기가"
    " 같아진다.",
    "Unlike Sobel, all three rows count equally.": "소벨과 달리 세 행의 비중이 같다.",
    "Unlike Sobel, all three columns count equally.": "소벨과 달리 세 열의 비중이 같다.",
    "Together with scharr_y it gives the direction of an edge more exactly than Sobel does.": (
        "scharr_y와 함께 쓰면 소벨보다 에지의 방향을 더 정확히 알 수 있다."
    ),
    "Together with scharr_x it gives the direction of an edge more exactly than Sobel does.": (
        "scharr_x와 함께 쓰면 소벨보다 에지의 방향을 더 정확히 알 수 있다."
    ),
    "It averages over more pixels than the 3x3 Sobel, so noise disturbs it less, but edges come out"
    " wider.": "3x3 소벨보다 많은 픽셀을 평균하므로 잡음의 영향을 덜 받지만, 에지는 더 두껍게"
    " 나온다.",
    "The upper left pixel minus the lower right one: positive where the image gets darker towards"
    " the lower right.": "왼쪽 위 픽셀에서 오른쪽 아래 픽셀을 뺀다. 오른쪽 아래로 갈수록 어두워지는"
    " 곳에서 양수이다.",
    "The upper right pixel minus the lower left one: positive where the image gets darker towards"
    " the lower left.": "오른쪽 위 픽셀에서 왼쪽 아래 픽셀을 뺀다. 왼쪽 아래로 갈수록 어두워지는"
    " 곳에서 양수이다.",
    "Strongest on edges that run from lower left to upper right.": "왼쪽 아래에서 오른쪽 위로"
    " 이어지는 에지에서 가장 강하다.",
    "Strongest on edges that run from upper left to lower right.": "왼쪽 위에서 오른쪽 아래로"
    " 이어지는 에지에서 가장 강하다.",
    "The largest answer of the eight Kirsch kernels gives an edge's strength and direction.": (
        "여덟 개의 키르시 커널 가운데 가장 큰 응답이 에지의 세기와 방향을 알려 준다."
    ),
}
_BLURS = {
    "Replaces each pixel by the plain average of itself and its eight neighbours.": "각 픽셀을"
    " 자신과 이웃 여덟 픽셀의 단순 평균으로 바꾼다.",
    "Replaces each pixel by the plain average of the 25 pixels around and including it: a stronger"
    " blur than the 3x3 box.": "각 픽셀을 자신을 포함한 주위 25픽셀의 단순 평균으로 바꾼다. 3x3"
    " 상자보다 더 강한 블러이다.",
    "A light blur: a weighted average in which the centre counts most.": "가벼운 블러로, 가운데의"
    " 비중이 가장 큰 가중 평균이다.",
    "A blur with binomial weights, close to a Gaussian with a standard deviation of 1 pixel.": (
        "이항 계수를 가중치로 하는 블러로, 표준 편차가 1픽셀인 가우시안에 가깝다."
    ),
    "A blur with whole numbers that imitate a Gaussian with a standard deviation of 1 pixel.": (
        "표준 편차가 1픽셀인 가우시안을 본뜬 정수 가중치의 블러이다."
    ),
    "Averages 9 pixels along the diagonal from upper left to lower right, as if the camera had"
    " moved"
    " in that direction.": "왼쪽 위에서 오른쪽 아래로 이어지는 대각선의 9픽셀을 평균하여, 카메라가"
    " 그 방향으로 움직인 것처럼 보인다.",
    "Averages 9 pixels side by side, as if the camera had moved sideways: vertical edges blur,"
    " horizontal ones stay sharp.": "옆으로 이어진 9픽셀을 평균하여, 카메라가 옆으로 움직인 것처럼"
    " 보인다. 세로 에지는 흐려지고 가로 에지는 선명하게 남는다.",
}
_OTHERS = {
    "Leaves the image as it is: only the centre pixel counts.": "이미지를 그대로 둔다. 가운데"
    " 픽셀만"
    " 쓰인다.",
    "The weights sum to 1.": "가중치의 합은 1이다.",
    "The weights sum to 0, so flat areas become 0.": "가중치의 합이 0이므로 평평한 곳은 0이 된다.",
    "The weights sum to 1, so flat areas do not change.": "가중치의 합이 1이므로 평평한 곳은 변하지"
    " 않는다.",
    "The weights sum to 1, so flat areas keep their brightness.": "가중치의 합이 1이므로 평평한"
    " 곳은"
    " 밝기가 유지된다.",
    "The weights sum to 0; edges lie where the result changes sign.": "가중치의 합은 0이며, 결과의"
    " 부호가 바뀌는 곳에 에지가 있다.",
    "The weights sum to 0 and 128 is added, so flat areas become mid-gray.": "가중치의 합이 0이고"
    " 128을 더하므로, 평평한 곳은 중간 회색이 된다.",
    "Compares each pixel with its four nearest neighbours: positive on the bright side of an edge,"
    " negative on the dark side.": "각 픽셀을 가장 가까운 이웃 네 픽셀과 비교한다. 에지의 밝은"
    " 쪽에서 양수, 어두운 쪽에서 음수이다.",
    "Compares each pixel with all eight neighbours: positive on the bright side of an edge,"
    " negative"
    " on the dark side.": "각 픽셀을 이웃 여덟 픽셀 모두와 비교한다. 에지의 밝은 쪽에서 양수,"
    " 어두운"
    " 쪽에서 음수이다.",
    "Smooths and takes the second derivative in one step: positive on bright spots and on the"
    " bright"
    " side of an edge, negative on the dark side.": "평활화와 2차 미분을 한 번에 한다. 밝은 점과"
    " 에지의 밝은 쪽에서 양수, 어두운 쪽에서 음수이다.",
    "Makes the image look like a relief lit from the upper left: bright objects get a bright rim on"
    " their upper left and a dark one on their lower right.": "이미지를 왼쪽 위에서 빛을 받는"
    " 부조처럼 보이게 한다. 밝은 물체의 왼쪽 위에는 밝은 테가, 오른쪽 아래에는 어두운 테가 생긴다.",
    "A gray relief lit from the upper left: brighter than mid-gray where the image gets brighter"
    " towards the lower right, darker where it gets darker.": "왼쪽 위에서 빛을 받는 회색 부조이다."
    " 오른쪽 아래로 갈수록 밝아지는 곳은 중간 회색보다 밝고, 어두워지는 곳은 더 어둡다.",
    "The image plus twice its difference from the 3x3 box blur: unsharp masking with an amount of"
    " 2.": "이미지에 3x3 상자 블러와의 차이를 두 배 하여 더한다. 강도가 2인 언샤프 마스킹이다.",
    "Adds the 4-neighbour Laplacian to the image: every pixel moves away from its four nearest"
    " neighbours, so edges stand out.": "이미지에 이웃 4개 라플라시안을 더한다. 각 픽셀이 가장"
    " 가까운 이웃 네 픽셀에서 멀어지므로 에지가 두드러진다.",
    "Adds the 8-neighbour Laplacian to the image: a stronger sharpening that also raises noise.": (
        "이미지에 이웃 8개 라플라시안을 더한다. 더 강하게 선명해지지만 잡음도 커진다."
    ),
    "Twice the image minus its blur by gaussian_5, which adds back exactly the detail that the blur"
    " removes.": "이미지의 두 배에서 gaussian_5로 흐리게 한 것을 빼, 블러가 없앤 세부를 정확히 다시"
    " 더한다.",
}

SENTENCES = _COMPASSES | _SUMS | _LINES | _GRADIENTS | _BLURS | _OTHERS
