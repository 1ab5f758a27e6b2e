print("pwctl")
