# Run by LocalStack when it is up, in Docker and on the host alike: using the services loads them, and that this script has
# run is how one knows that LocalStack is ready. The stream is there to be tried, with `leasehold run --stream orders`;
# tests make streams of their own.
import os

import boto3

port = os.environ.get("LEASEHOLD_LOCALSTACK_PORT", "4566")
settings = dict(
    endpoint_url=f"http://127.0.0.1:{port}",
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)

kinesis = boto3.client("kinesis", **settings)
kinesis.create_stream(StreamName="orders", ShardCount=4)
kinesis.get_waiter("stream_exists").wait(StreamName="orders", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
boto3.client("dynamodb", **settings).list_tables()
print("leasehold: stream orders is ready", flush=True)
