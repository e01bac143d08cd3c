"""The environment and the rotations of the demo, as files that kubectl and Git can apply."""

ENVIRONMENT = """\
apiVersion: keyturn.dev/v1alpha1
kind: RotationEnvironment
metadata: {{name: demo}}
spec:
  azure:
    cloud: Custom            # keyturn-sim instead of Azure
    tenantId: {tenant}
    subscriptionId: {subscription}
    identity: {{type: ClientSecret, clientId: {client_id}, clientSecretFile: {client_secret_file}}}
    endpoints: {{authority: "{authority}", resourceManager: "{arm}", caFile: {ca_file}}}
  vaults:
  - {{name: main, vault: main, url: "{vault_url}", secrets: ["*"], staging: true}}
  systems:
  - name: cache
    type: RedisAcl
    redisAcl: {{nodes: ["127.0.0.1:{redis_port}"], tls: LoopbackPlain, principals: [app], admin: {{user: keyturn, file: {redis_admin}}}}}
  - name: database
    type: PostgreSql
    postgreSql: {{host: 127.0.0.1, port: {postgres_port}, database: postgres, tls: LoopbackPlain, principals: [app_a, app_b, reports], admin: {{user: keyturn, file: {postgres_admin}}}}}
  consumers:
  - name: orders
    type: ContainerApp
    containerApp: {{resourceGroup: demo, app: orders, reference: Versionless, dataProtection: NotUsed}}
    health: {{url: "{arm}/apps/orders/health", expect: {{path: /status, equals: Healthy}}}}
  - name: billing
    type: ContainerApp
    containerApp: {{resourceGroup: demo, app: billing, reference: Pinned, dataProtection: NotUsed}}
    health: {{url: "{arm}/apps/billing/health", expect: {{path: /status, equals: Healthy}}}}
  - name: reports
    type: ContainerApp
    containerApp: {{resourceGroup: demo, app: reports, reference: Versionless, dataProtection: NotUsed}}
    health: {{url: "{arm}/apps/reports/health", expect: {{path: /status, equals: Healthy}}}}
  bindings:
  - {{namespaces: [demo], secrets: ["*"], systems: ["*"], consumers: ["*"]}}
  # A rehearsal against local systems need not wait for what a real vault may still finish minutes later.
  timing: {{issue: 1s, request: 5s, serverResidual: 500ms, lease: 500ms, publishDeadline: 20s, soak: 1s, driftInterval: 3s, poll: 200ms}}
"""

ROTATION = """\
apiVersion: keyturn.dev/v1alpha1
kind: SecretRotation
metadata: {{name: {name}, namespace: demo}}
spec:
  environmentRef: {{name: demo}}
  revision: {revision}
  secret:
    vaults: [main]
    name: {secret}
    format: {{type: {format}}}
  generator: {{type: Password, length: 32}}
  dependents:
  - {{system: {system}, principals: [{principals}]}}
  consumers:
  - {{name: {consumer}, reload: Restart}}
  strategy: {{type: {strategy}, acknowledgeOutage: {outage}, overlap: 1s, progressDeadline: 2m}}
"""

ROTATIONS = {
    "erp-redis": dict(
        secret="RedisConfiguration--Password", format="Opaque", system="cache", principals="app", consumer="orders", strategy="Auto", outage="false"
    ),
    "erp-postgres": dict(
        secret="ConnectionStrings--DefaultConnection", format="Url", system="database", principals="app_a, app_b", consumer="billing", strategy="Auto", outage="false"
    ),
    "erp-reports": dict(
        secret="ConnectionStrings--Reports", format="Url", system="database", principals="reports", consumer="reports", strategy="InPlace", outage="true"
    ),
}


def rotation(name, revision):
    return ROTATION.format(name=name, revision=revision, **ROTATIONS[name])
