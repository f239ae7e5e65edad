"""`context.attempt` counts the attempts of a job from 1; a failed one is followed by the next."""

if context.attempt == 1:
    raise RuntimeError("the first attempt fails on purpose; the next one comes in a few seconds")

print(f"attempt {context.attempt} succeeds")
{"attempt": context.attempt}
